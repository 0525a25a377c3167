import Core
import Foundation
import GNMIProtos
import GNMIService
import GRPCCore
import Hosting
import Testing

/// What Set makes of ports.
@Suite struct SetTests {
  @Test func leafByLeafAsTheToolDoes() async throws {
    try await Target.run { target in
      try await target.set(
        "P4TAP_0", ("host-name", "host1"), ("pipeline-name", "pipe"),
        ("mempool-name", "MEMPOOL0"), ("mtu", .int(1400)))
      #expect(await target.registry.calls.isEmpty)
      #expect(
        await target.code { _ = try await target.get(target.path("P4TAP_0", "tdi-portin-id")) }
          == .notFound)
      try await target.set("P4TAP_0", ("port-type", "TAP"), ("packet-dir", "NETWORK"))
      #expect(await target.registry.calls == ["add P4TAP_0 1400"])
      let config = try await target.leaves("/interfaces/virtual-interface[name=P4TAP_0]/config")
      let expected: [String: Gnmi_TypedValue] = [
        "name": "P4TAP_0", "host-name": "host1", "pipeline-name": "pipe",
        "mempool-name": "MEMPOOL0", "mtu": .uint(1400), "port-type": "TAP",
        "packet-dir": "network", "tdi-portin-id": .uint(0), "tdi-portout-id": .uint(0),
      ]
      for (leaf, value) in expected {
        #expect(config[target.path("P4TAP_0", leaf)] == value, "\(leaf)")
      }
      #expect(await target.journal.saved.map(\.hostName) == ["host1"])
    }
  }

  @Test func portTypes() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "tap"))
      try await target.set("b", ("port-type", "link"))
      #expect(await target.registry.descriptions.map(\.kind) == [.tap, .packet])
      for type in ["VHOST", "vhost", "source", "SINK"] {
        let code = await target.code {
          try await target.set("c", ("port-type", Gnmi_TypedValue(stringLiteral: type)))
        }
        #expect(code == .unimplemented)
      }
      #expect(
        await target.code { try await target.set("c", ("port-type", "ethernet")) }
          == .invalidArgument)
      #expect(await target.registry.ids.keys.sorted() == ["a", "b"])
      // What is refused leaves nothing behind.
      #expect(
        await target.code { _ = try await target.get("/interfaces/virtual-interface[name=c]") }
          == .notFound)
    }
  }

  @Test(arguments: [
    ("mtu", Gnmi_TypedValue.int(67), RPCError.Code.invalidArgument),
    ("mtu", .uint(65_536), .invalidArgument),
    ("mtu", .int(-1), .invalidArgument),
    ("mtu", .uint(.max), .invalidArgument),
    ("mtu", "1500", .invalidArgument),
    ("mtu", .json("1500.5"), .invalidArgument),
    ("mtu", .json("{}"), .invalidArgument),
    ("mtu", .json("[1"), .invalidArgument),
    ("mtu", .json(""), .invalidArgument),
    ("mtu", .json("true"), .invalidArgument),
    ("mtu", .json("null"), .invalidArgument),
    ("mtu", .with { $0.boolVal = true }, .invalidArgument),
    ("mtu", .with { $0.doubleVal = 1500 }, .invalidArgument),
    ("mtu", .with { $0.bytesVal = Data([5]) }, .invalidArgument),
    ("mtu", .with { $0.leaflistVal = .init() }, .invalidArgument),
    ("mtu", .with { $0.asciiVal = "1500" }, .unimplemented),
    ("mtu", .with { $0.protoBytes = Data([1]) }, .unimplemented),
    ("mtu", Gnmi_TypedValue(), .invalidArgument),
    ("host-name", .int(5), .invalidArgument),
    ("host-name", "a\nb", .invalidArgument),
    ("pipeline-name", "other", .invalidArgument),
    ("packet-dir", "sideways", .invalidArgument),
    ("mac-address", "02:00:00:00:02", .invalidArgument),
    ("mac-address", "03:00:00:00:02:09", .invalidArgument),
    ("netns", .int(5), .invalidArgument),
    ("queues", .int(1), .unimplemented),
    ("pci-bdf", "0000:18:00.0", .unimplemented),
    ("control-port", "TAP1", .unimplemented),
    ("tdi-portin-id", .uint(3), .invalidArgument),
    ("name", "other", .invalidArgument),
    ("no-such-leaf", "x", .notFound),
    ("counters", .json("{}"), .invalidArgument),
  ])
  func refusedValues(_ leaf: String, _ value: Gnmi_TypedValue, _ code: RPCError.Code) async throws {
    try await Target.run { target in
      #expect(await target.code { try await target.set("a", (leaf, value)) } == code)
      #expect(await target.journal.saved.isEmpty)
    }
  }

  @Test(arguments: [
    (
      "/interfaces/virtual-interface[name=0123456789abcdef]/config/mtu",
      RPCError.Code.invalidArgument
    ),
    ("/interfaces/virtual-interface[name=]/config/mtu", .invalidArgument),
    ("/interfaces/virtual-interface[name=a b]/config/mtu", .invalidArgument),
    ("/interfaces/virtual-interface[name=ü]/config/mtu", .invalidArgument),
    ("/interfaces/virtual-interface/config/mtu", .invalidArgument),
    ("/interfaces/virtual-interface[name=*]/config/mtu", .invalidArgument),
    ("/interfaces/*/config/mtu", .invalidArgument),
    ("/.../mtu", .invalidArgument),
    ("/interfaces/virtual-interface[id=a]/config/mtu", .invalidArgument),
    ("/interfaces/interface[name=a]/config/mtu", .notFound),
    ("/interfaces/virtual-interface[name=a]/config", .invalidArgument),
    ("/system/config/hostname", .notFound),
  ])
  func refusedPaths(_ path: String, _ code: RPCError.Code) async throws {
    try await Target.run { target in
      #expect(await target.code { try await target.set(update: [(path, .int(1500))]) } == code)
      #expect(await target.journal.saved.isEmpty)
    }
  }

  @Test func oddRequests() async throws {
    try await Target.run { target in
      // Nothing to do is no error.
      let response = try await target.set(delete: [])
      #expect(response.response.isEmpty)
      let deprecated = Gnmi_Path.with { $0.element = ["interfaces"] }
      #expect(
        await target.code { _ = try await target.client.set(.with { $0.delete = [deprecated] }) }
          == .invalidArgument)
      let origin = Gnmi_Path.with { $0.origin = "cli" }
      #expect(
        await target.code { _ = try await target.client.set(.with { $0.delete = [origin] }) }
          == .invalidArgument)
      let deep = "/" + Array(repeating: "x", count: 100_000).joined(separator: "/")
      #expect(await target.code { try await target.set(delete: [deep]) } == .invalidArgument)
      let long = "/" + String(repeating: "x", count: 1 << 20)
      #expect(await target.code { try await target.set(delete: [long]) } == .notFound)
      let nested = String(repeating: "[", count: 100_000)
      #expect(
        await target.code { try await target.set("a", ("mtu", .json(nested))) } == .invalidArgument)
      let master = GnmiExt_Extension.with { $0.masterArbitration = .init() }
      #expect(
        await target.code { _ = try await target.client.set(.with { $0.extension = [master] }) }
          == .unimplemented)
      let registered = GnmiExt_Extension.with { $0.registeredExt = .init() }
      #expect(
        await target.code { _ = try await target.client.set(.with { $0.extension = [registered] }) }
          == nil)
    }
  }

  @Test func aPrefixIsPutBeforePaths() async throws {
    try await Target.run { target in
      let response = try await target.client.set(
        .with {
          $0.prefix = Gnmi_Path("/interfaces/virtual-interface[name=a]")
          $0.prefix.target = "node"
          $0.update = [
            .with {
              $0.path = Gnmi_Path("/config/port-type")
              $0.val = "TAP"
            }
          ]
        })
      #expect(response.prefix.target == "node")
      #expect(response.response.map(\.op) == [.update])
      #expect(response.response.map(\.path.text) == ["/config/port-type"])
      #expect(await target.registry.ids == ["a": 0])
    }
  }

  @Test func settingAgainWhatIsSetChangesNothing() async throws {
    try await Target.run { target in
      for _ in 0..<3 {
        try await target.set("a", ("mtu", .int(1500)), ("port-type", "TAP"), ("mtu", .uint(1500)))
      }
      #expect(await target.registry.calls == ["add a 1500"])
    }
  }

  @Test func aPortStaysWhatItIs() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      #expect(
        await target.code { try await target.set("a", ("port-type", "LINK")) } == .alreadyExists)
      #expect(
        await target.code { try await target.set("a", ("mtu", .int(1400))) } == .failedPrecondition)
      // What the port does not depend on may change.
      try await target.set("a", ("host-name", "x"), ("host-name", "y"))
      #expect(await target.registry.calls == ["add a 1500"])
    }
  }

  @Test func aPlaceOfItsOwn() async throws {
    try await Target.run { target in
      try await target.set(
        "a", ("ifname", "eth0"), ("netns", "/run/netns/pod"), ("mac-address", "02:00:00:00:02:09"),
        ("port-type", "TAP"))
      let port = try #require(await target.registry.descriptions.first)
      #expect(port.place == InterfacePlace(netns: "/run/netns/pod", name: "eth0"))
      #expect(port.macAddress == MACAddress("02:00:00:00:02:09"))
      let config = try await target.leaves("/interfaces/virtual-interface[name=a]/config")
      #expect(config[target.path("a", "netns")] == "/run/netns/pod")
      #expect(config[target.path("a", "ifname")] == "eth0")
      #expect(config[target.path("a", "mac-address")] == "02:00:00:00:02:09")
      for (leaf, value) in [
        ("netns", "/run/netns/other"), ("ifname", "eth1"), ("mac-address", "02:00:00:00:02:0a"),
      ] {
        let value = Gnmi_TypedValue(stringLiteral: value)
        #expect(
          await target.code { try await target.set("a", (leaf, value)) } == .failedPrecondition)
      }
      // Its name in the namespace is the port's unless given; without one there is none.
      try await target.set("b", ("netns", "/run/netns/pod"), ("port-type", "TAP"))
      #expect(await target.registry.descriptions.last?.place?.name == "b")
      #expect(
        await target.code { try await target.set("c", ("ifname", "eth0"), ("port-type", "TAP")) }
          == .invalidArgument)
    }
  }

  @Test func trees() async throws {
    try await Target.run { target in
      try await target.set(update: [
        (
          "/",
          .json(
            """
            {"interfaces": {"virtual-interface": [
              {"name": "a", "config": {"name": "a", "mtu": 1400, "port-type": "TAP"}},
              {"name": "b", "config": {"port-type": "LINK"}}]}}
            """)
        )
      ])
      #expect(await target.registry.ids == ["a": 0, "b": 1])
      try await target.set(update: [
        (
          "/interfaces/virtual-interface[name=c]/config",
          .ietf(#"{"infrap4d-interfaces:port-type": "TAP", "mtu": 1300}"#)
        )
      ])
      #expect(await target.registry.ids == ["a": 0, "b": 1, "c": 2])
      for text in [
        #"{"interfaces": []}"#, #"{"interfaces": {"virtual-interface": {}}}"#,
        #"{"interfaces": {"virtual-interface": [{"config": {}}]}}"#,
        #"{"interfaces": {"virtual-interface": [{"name": 5}]}}"#,
        #"{"interfaces": {"virtual-interface": [{"name": "d", "config": {"name": "e"}}]}}"#,
        #"{"interfaces": {"virtual-interface": [{"name": "d", "state": {"mtu": 1}}]}}"#,
        #"{"interfaces": {"virtual-interface": [{"name": "d", "speed": 1}]}}"#, #"[]"#, #"5"#,
      ] {
        let code = await target.code { try await target.set(update: [("/", .json(text))]) }
        #expect(code == .invalidArgument, "\(text)")
      }
      #expect(await target.registry.ids == ["a": 0, "b": 1, "c": 2])
    }
  }

  @Test func replaceDeletesWhatIsNotMentioned() async throws {
    try await Target.run { target in
      try await target.set("a", ("host-name", "x"), ("port-type", "TAP"))
      try await target.set("b", ("port-type", "TAP"))
      try await target.set(replace: [
        ("/interfaces/virtual-interface[name=a]/config", .json(#"{"port-type": "TAP"}"#))
      ])
      // Still the same port.
      #expect(await target.registry.calls == ["add a 1500", "add b 1500"])
      #expect(
        await target.code { _ = try await target.get(target.path("a", "host-name")) } == .notFound)
      try await target.set(replace: [
        (
          "/interfaces/virtual-interface",
          .json(#"[{"name": "c", "config": {"port-type": "TAP"}}]"#)
        )
      ])
      #expect(await target.registry.ids == ["c": 2])
      #expect(
        await target.code {
          try await target.set(replace: [
            ("/interfaces/virtual-interface[name=c]/state", .json("{}"))
          ])
        } == .invalidArgument)
      #expect(await target.registry.ids == ["c": 2])
    }
  }

  /// A port goes when it is deleted, not because somebody leaves its type out.
  @Test func replacementsWithoutATypeRemoveNoPort() async throws {
    try await Target.run { target in
      try await target.set("a", ("host-name", "x"), ("port-type", "TAP"))
      let entry = "/interfaces/virtual-interface[name=a]"
      for (path, value) in [
        (entry, "{}"), (entry + "/config", "{}"), (entry, #"{"config": {"mtu": 1500}}"#),
      ] {
        #expect(
          await target.code {
            try await target.set(replace: [(path, .json(value))])
          } == .invalidArgument)
      }
      #expect(await target.registry.calls == ["add a 1500"])
      #expect(try await target.get(target.path("a", "host-name")).count == 1)
      // What is no port can lose all it has.
      try await target.set("b", ("host-name", "x"))
      try await target.set(replace: [
        ("/interfaces/virtual-interface[name=b]/config", .json("{}"))
      ])
      #expect(
        await target.code { _ = try await target.get(target.path("b", "host-name")) } == .notFound)
    }
  }

  @Test func deletions() async throws {
    try await Target.run { target in
      for name in ["a", "b", "c", "d"] { try await target.set(name, ("port-type", "TAP")) }
      try await target.set("e", ("mtu", .int(1400)))
      // What is not there is deleted already.
      try await target.set(delete: [
        "/interfaces/virtual-interface[name=z]", target.path("z", "mtu"),
      ])
      try await target.set(delete: ["/interfaces/virtual-interface[name=a]"])
      try await target.set(delete: ["/interfaces/virtual-interface[name=b]/config"])
      try await target.set(delete: [target.path("c", "port-type")])
      #expect(await target.registry.ids == ["d": 3])
      #expect(
        await target.code { try await target.set(delete: [target.path("d", "name")]) }
          == .invalidArgument)
      for path in [
        target.path("d", "tdi-portin-id"), "/interfaces/virtual-interface[name=d]/state",
        "/interfaces/virtual-interface[name=d]/*",
      ] {
        #expect(await target.code { try await target.set(delete: [path]) } == .invalidArgument)
      }
      #expect(await target.code { try await target.set(delete: ["/system"]) } == .notFound)
      #expect(await target.registry.ids == ["d": 3])
      try await target.set(delete: ["/interfaces/virtual-interface[name=*]"])
      #expect(await target.registry.ids.isEmpty)
      #expect(await target.journal.saved.isEmpty)
      for name in ["a", "b"] { try await target.set(name, ("port-type", "TAP")) }
      try await target.set(delete: ["/"])
      #expect(await target.registry.ids.isEmpty)
    }
  }

  @Test func deletionsComeFirst() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let response = try await target.set(
        delete: ["/interfaces/virtual-interface[name=a]"],
        update: [(target.path("a", "mtu"), .int(1400)), (target.path("a", "port-type"), "TAP")])
      #expect(response.response.map(\.op) == [.delete, .update, .update])
      #expect(await target.registry.calls == ["add a 1500", "remove a", "add a 1400"])
      // Deleted and set to the same again is no change.
      try await target.set(
        delete: ["/interfaces/virtual-interface[name=a]"],
        update: [(target.path("a", "port-type"), "TAP"), (target.path("a", "mtu"), .int(1400))])
      #expect(await target.registry.calls.count == 3)
    }
  }
}
