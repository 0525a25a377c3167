import Foundation
import GNMIProtos
import GNMIService
import GRPCCore
import Testing

/// Whatever is asked, the server answers, and what it holds stays consistent.
@Suite struct RandomRequestTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      // SplitMix64.
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    mutating func path() -> Gnmi_Path {
      let usual = ["interfaces", "virtual-interface", "config", leaf()]
      let odd = ["*", "...", "", ":", "a:b", "state", "counters", "drop", "name", "ü", "[", "\0"]
      var path = Gnmi_Path()
      for index in 0..<Int.random(in: 0...6, using: &self) {
        path.elem.append(
          .with { element in
            let isUsual = index < usual.count && Int.random(in: 0..<10, using: &self) < 8
            element.name = isUsual ? usual[index] : odd.randomElement(using: &self) ?? ""
            guard index == 1 || Int.random(in: 0..<12, using: &self) == 0 else { return }
            let key = Int.random(in: 0..<15, using: &self) == 0 ? "reason" : "name"
            element.key[key] = ["a", "b", "c", "*", "", "…"].randomElement(using: &self)
          })
      }
      if Int.random(in: 0..<30, using: &self) == 0 { path.element = ["x"] }
      if Int.random(in: 0..<30, using: &self) == 0 { path.origin = "rfc7951" }
      return path
    }

    mutating func leaf() -> String {
      [
        "port-type", "port-type", "mtu", "host-name", "packet-dir", "pipeline-name", "queues",
        "netns", "ifname", "mac-address",
        "tdi-portin-id", "name",
      ].randomElement(using: &self) ?? ""
    }

    mutating func value() -> Gnmi_TypedValue {
      let config = [#"{"port-type":"TAP"}"#, #"{"mtu":1400,"port-type":"LINK"}"#, "{}", "[{}]"]
      let tree = #"{"virtual-interface":[{"name":"c","config":{"port-type":"TAP"}}]}"#
      return switch Int.random(in: 0..<9, using: &self) {
      case 0, 1: "TAP"
      case 2: .int(Int64.random(in: -5...70_000, using: &self))
      case 3: .uint([0, 1400, 1500, .max].randomElement(using: &self) ?? 0)
      case 4: .json(config.randomElement(using: &self) ?? "")
      case 5: .ietf(tree)
      case 6: .with { $0.bytesVal = Data([1, 2]) }
      case 7: .json("{\"interfaces\":\(tree)}")
      default: .init()
      }
    }

    mutating func updates() -> [Gnmi_Update] {
      (0..<Int.random(in: 0...2, using: &self)).map { _ in
        .with {
          $0.path = path()
          $0.val = value()
        }
      }
    }

    mutating func subscriptions() -> Gnmi_SubscriptionList {
      .with { list in
        list.mode = [.once, .once, .poll, .stream].randomElement(using: &self) ?? .once
        list.encoding = [.json, .jsonIetf, .proto, .bytes].randomElement(using: &self) ?? .proto
        for _ in 0..<Int.random(in: 0...3, using: &self) {
          list.subscription.append(
            .with {
              $0.path = path()
              $0.mode = [.onChange, .sample, .targetDefined].randomElement(using: &self) ?? .sample
              $0.sampleInterval = [0, 1, 1_000_000_000, .max].randomElement(using: &self) ?? 0
            })
        }
      }
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func everythingIsAnswered(_ seed: UInt64) async throws {
    try await Target.run { target in
      var random = Generator(state: seed)
      var accepted = 0
      for _ in 0..<400 {
        let code: RPCError.Code?
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          let request = Gnmi_GetRequest.with {
            $0.path = [random.path(), random.path()]
            $0.encoding = [.json, .jsonIetf, .proto].randomElement(using: &random) ?? .json
          }
          code = await target.code { _ = try await target.client.get(request) }
        case 1:
          let list = random.subscriptions()
          code = await target.code {
            let request = StreamingClientRequest<Gnmi_SubscribeRequest> { writer in
              try await writer.write(.with { $0.subscribe = list })
            }
            try await target.client.subscribe(request: request) { response in
              for try await message in response.messages where message.syncResponse { return }
            }
          }
        default:
          let request = Gnmi_SetRequest.with {
            if Int.random(in: 0..<8, using: &random) == 0 { $0.delete = [random.path()] }
            $0.replace = Int.random(in: 0..<5, using: &random) == 0 ? random.updates() : []
            $0.update = random.updates()
          }
          code = await target.code { _ = try await target.client.set(request) }
        }
        if code == nil { accepted += 1 }
        let expected: [RPCError.Code?] = [
          nil, .invalidArgument, .notFound, .alreadyExists, .failedPrecondition, .unimplemented,
        ]
        #expect(expected.contains(code))
      }
      #expect(accepted > 40, "the requests are not all nonsense")
      // What is told to be a port is one, and the other way round.
      let told = try await target.leaves(
        "/interfaces/virtual-interface[name=*]/config/tdi-portin-id")
      let ids = Dictionary(
        uniqueKeysWithValues: told.map { path, value in
          (String(path.split(separator: "=")[1].prefix { $0 != "]" }), UInt32(value.uintVal))
        })
      #expect(await target.registry.ids == ids)
    }
  }
}
