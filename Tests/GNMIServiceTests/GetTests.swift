import Foundation
import GNMIProtos
import GNMIService
import GRPCCore
import Hosting
import Testing

/// What Get answers.
@Suite struct GetTests {
  private func two(_ target: Target) async throws {
    try await target.set("a", ("host-name", "h"), ("port-type", "TAP"))
    try await target.set("b", ("mtu", .int(1400)))
    await target.registry.count("a") { counters in
      counters.framesIn = 10
      counters.bytesIn = 1 << 60
      counters.framesOut = 20
      counters.bytesOut = 2000
      counters.refused = 3
      counters.errorsIn = 4
      counters.errorsOut = 5
      counters.lost = 8
      counters.dropped = ["no_service": 6, "truncated": 1]
    }
  }

  @Test func capabilities() async throws {
    try await Target.run { target in
      let capabilities = try await target.client.capabilities(.init())
      #expect(capabilities.gNmiVersion == "0.8.0")
      #expect(capabilities.supportedEncodings == [.json, .jsonIetf, .proto])
      #expect(capabilities.supportedModels.map(\.name) == ["infrap4d-interfaces"])
    }
  }

  @Test func counters() async throws {
    try await Target.run { target in
      try await two(target)
      let base = "/interfaces/virtual-interface[name=a]/state/counters"
      let expected: [String: UInt64] = [
        "in-pkts": 10, "in-octets": 1 << 60, "in-errors": 4, "in-discards": 15, "out-pkts": 20,
        "out-octets": 2000, "out-errors": 5, "out-discards": 3, "drop[reason=no_service]/pkts": 6,
        "drop[reason=truncated]/pkts": 1,
      ]
      for (leaf, value) in expected {
        #expect(try await target.leaves("\(base)/\(leaf)") == ["\(base)/\(leaf)": .uint(value)])
      }
      let drops = try await target.leaves("\(base)/drop[reason=*]/pkts")
      #expect(drops.values.map(\.uintVal).sorted() == [1, 6])
      // Where the tool looks for them.
      let unicast = target.path("a", "counters/in-unicast-pkts")
      #expect(try await target.leaves(unicast) == [unicast: .uint(10)])
    }
  }

  @Test func types() async throws {
    try await Target.run { target in
      try await two(target)
      let a = "/interfaces/virtual-interface[name=a]"
      func names(_ type: Gnmi_GetRequest.DataType) async throws -> Set<String> {
        Set(try await target.leaves(a, type: type).keys.map { String($0.dropFirst(a.count + 1)) })
      }
      #expect(
        try await names(.config) == [
          "name", "config/name", "config/port-type", "config/mtu", "config/host-name",
          "config/pipeline-name", "config/mempool-name", "config/packet-dir",
        ])
      let state = try await names(.state)
      #expect(state.isSuperset(of: ["state/mtu", "state/oper-status", "state/counters/in-pkts"]))
      #expect(!state.contains("config/mtu"))
      let operational = try await names(.operational)
      #expect(operational.isSuperset(of: ["state/oper-status", "state/counters/in-pkts"]))
      #expect(!operational.contains("state/mtu"))
      let all = try await names(.all)
      #expect(try await all == names(.config).union(state))
    }
  }

  @Test func json() async throws {
    try await Target.run { target in
      try await two(target)
      let a = "/interfaces/virtual-interface[name=a]"
      let config: NSDictionary = [
        "name": "a", "host-name": "h", "port-type": "TAP", "mtu": 1500, "pipeline-name": "pipe",
        "mempool-name": "MEMPOOL0", "packet-dir": "host",
      ]
      #expect(try await target.json("\(a)/config", type: .config) == config)
      #expect(try await target.json(a, type: .config) == ["name": "a", "config": config])
      let tree = try await target.json("/", type: .config)
      let interfaces = try #require(tree["interfaces"] as? NSDictionary)
      let list = try #require(interfaces["virtual-interface"] as? [NSDictionary])
      #expect(list.map { $0["name"] as? String } == ["a", "b"])
      #expect(list.first?["config"] as? NSDictionary == config)
      // 64-bit numbers are strings in RFC 7951, and outermost names carry the model.
      let counters = try await target.json("\(a)/state/counters", encoding: .jsonIetf)
      #expect(counters["infrap4d-interfaces:in-octets"] as? String == "1152921504606846976")
      let plain = try await target.json("\(a)/state/counters")
      #expect(plain["in-octets"] as? UInt64 == 1 << 60)
      #expect((plain["drop"] as? [NSDictionary])?.count == 2)
      // A leaf is its bare value.
      let leaf = try await target.get("\(a)/config/mtu", encoding: .json)
      #expect(leaf.first?.update.first?.val.jsonVal == Data("1500".utf8))
      let ietf = try await target.get("\(a)/state/counters/in-pkts", encoding: .jsonIetf)
      #expect(ietf.first?.update.first?.val.jsonIetfVal == Data("\"10\"".utf8))
    }
  }

  /// What CONFIG gives can be set as it is.
  @Test func configurationComesBack() async throws {
    try await Target.run { target in
      try await two(target)
      let tree = try #require(
        try await target.get("/", type: .config, encoding: .json).first?.update.first?.val)
      let calls = await target.registry.calls
      try await target.set(replace: [("/", tree)])
      #expect(await target.registry.calls == calls)
      #expect(
        try await target.get("/", type: .config, encoding: .json).first?.update.first?.val == tree)
    }
  }

  @Test func wildcards() async throws {
    try await Target.run { target in
      try await two(target)
      func found(_ path: String) async throws -> [String] {
        try await target.leaves(path).keys.sorted()
      }
      let mtus = ["a", "b"].map { target.path($0, "mtu") }
      #expect(try await found("/interfaces/virtual-interface[name=*]/config/mtu") == mtus)
      #expect(try await found("/interfaces/virtual-interface/config/mtu") == mtus)
      #expect(try await found("/*/*/config/mtu") == mtus)
      let state = "/interfaces/virtual-interface[name=a]/state/mtu"
      #expect(try await found("/.../mtu") == (mtus + [state]).sorted())
      #expect(try await found("/interfaces/.../.../config/mtu") == mtus)
      #expect(
        try await found("/interfaces/virtual-interface[name=a]/*/mtu") == [mtus[0], state])
      let all = try await found("/")
      #expect(try await found("/...") == all)
      #expect(try await found("/interfaces") == all)
      #expect(try await found("/.../*") == all)
      #expect(all.count > 40)
      // No match is an answer too, when the path leaves it open.
      #expect(try await found("/interfaces/virtual-interface[name=*]/config/queues").isEmpty)
      let json = try await target.get("/interfaces/virtual-interface[name=*]", encoding: .json)
      #expect(
        json.first?.update.map(\.path.text)
          == ["a", "b"].map {
            "/interfaces/virtual-interface[name=\($0)]"
          })
    }
  }

  @Test func emptyNode() async throws {
    try await Target.run { target in
      for path in ["/", "/interfaces", "/interfaces/virtual-interface", "/..."] {
        for encoding in [Gnmi_Encoding.json, .jsonIetf, .proto] {
          let answer = try await target.get(path, encoding: encoding)
          #expect(answer.count == 1)
          #expect(answer.first?.update.isEmpty == true)
        }
      }
      #expect(try await target.client.get(.init()).notification.isEmpty)
    }
  }

  @Test func oneNotificationAPath() async throws {
    try await Target.run { target in
      try await two(target)
      let answer = try await target.get(
        target.path("a", "mtu"), target.path("b", "mtu"), target.path("a", "mtu"))
      #expect(answer.map { $0.update.map(\.val.uintVal) } == [[1500], [1400], [1500]])
      #expect(answer.allSatisfy { $0.timestamp > 1_600_000_000_000_000_000 })
    }
  }

  @Test(arguments: [
    ("/interfaces/virtual-interface[name=z]", RPCError.Code.notFound),
    ("/interfaces/virtual-interface[name=z]/config/mtu", .notFound),
    ("/interfaces/virtual-interface[name=z]/state/counters/drop", .notFound),
    ("/interfaces/virtual-interface[name=b]/config/tdi-portin-id", .notFound),
    ("/interfaces/virtual-interface[name=b]/config/queues", .notFound),
    ("/interfaces/virtual-interface[id=a]", .invalidArgument),
    ("/interfaces[name=a]", .invalidArgument),
    ("/interfaces/interface", .unimplemented),
    ("/interfaces/interface[name=*]/state/ifindex", .unimplemented),
    ("/interfaces/other", .invalidArgument),
    ("/interfaces/virtual-interface[name=a]/config/mtu/low", .invalidArgument),
    ("/x/.../y", .invalidArgument),
  ])
  func refusedPaths(_ path: String, _ code: RPCError.Code) async throws {
    try await Target.run { target in
      try await two(target)
      for encoding in [Gnmi_Encoding.proto, .json] {
        #expect(await target.code { _ = try await target.get(path, encoding: encoding) } == code)
      }
    }
  }

  @Test func refusedRequests() async throws {
    var limits = Target.limits
    limits.paths = 3
    limits.leaves = 100
    try await Target.run(limits) { target in
      try await two(target)
      func code(_ request: Gnmi_GetRequest) async -> RPCError.Code? {
        await target.code { _ = try await target.client.get(request) }
      }
      #expect(await code(.with { $0.encoding = .ascii }) == .unimplemented)
      #expect(await code(.with { $0.encoding = .bytes }) == .unimplemented)
      #expect(await code(.with { $0.encoding = .UNRECOGNIZED(77) }) == .unimplemented)
      #expect(await code(.with { $0.type = .UNRECOGNIZED(77) }) == .invalidArgument)
      #expect(
        await code(.with { $0.useModels = [.with { $0.name = "other" }] }) == .invalidArgument)
      #expect(
        await code(.with { $0.useModels = [.with { $0.name = "infrap4d-interfaces" }] }) == nil)
      #expect(
        await code(.with { $0.path = Array(repeating: .init(), count: 4) }) == .resourceExhausted)
      #expect(
        await code(.with { $0.path = Array(repeating: .init(), count: 3) }) == .resourceExhausted)
      #expect(await code(.with { $0.path = [.init()] }) == nil)
    }
  }
}
