import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import P4RuntimeProtos
import SwiftProtobuf
import Testing

/// A controller of a test: the generated client, and k8s_dp's names.
struct TestController: Sendable {
  typealias Client = P4_V1_P4Runtime.Client<HTTP2ClientTransport.Posix>
  let client: Client

  /// Runs `body` with a controller that has become primary.
  static func run<Result: Sendable>(
    _ transport: HTTP2ClientTransport.Posix, electionID: UInt64 = 1,
    _ body: @Sendable @escaping (TestController) async throws -> Result
  ) async throws -> Result {
    try await withGRPCClient(transport: transport) { grpc in
      let client = Client(wrapping: grpc)
      let (requests, feed) = AsyncStream<P4_V1_StreamMessageRequest>.makeStream()
      feed.yield(
        .with {
          $0.arbitration = .with {
            $0.deviceID = 1
            $0.electionID = .with { $0.low = electionID }
          }
        })
      let request = StreamingClientRequest<P4_V1_StreamMessageRequest> { writer in
        for await message in requests { try await writer.write(message) }
      }
      return try await client.streamChannel(request: request) { response in
        defer { feed.finish() }
        var messages = response.messages.makeAsyncIterator()
        let first = try #require(try await messages.next())
        #expect(first.arbitration.status.code == 0, "is primary")
        return try await body(TestController(client: client))
      }
    }
  }

  static func unix(_ path: String) throws -> HTTP2ClientTransport.Posix {
    try .http2NIOPosix(
      target: .unixDomainSocket(path: path, authority: "localhost"), transportSecurity: .plaintext)
  }

  /// Mutual TLS with the certificates in a folder.
  static func tls(port: Int, _ folder: String) throws -> HTTP2ClientTransport.Posix {
    try .http2NIOPosix(
      target: .dns(host: "localhost", port: port),
      transportSecurity: .mTLS(
        certificateChain: [.file(path: folder + "/client.crt", format: .pem)],
        privateKey: .file(path: folder + "/client.key", format: .pem)
      ) { $0.trustRoots = .certificates([.file(path: folder + "/ca.crt", format: .pem)]) })
  }

  private static let artefacts =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("k8s_dp")

  static func k8sDP() throws -> P4_V1_ForwardingPipelineConfig {
    let info = try String(
      contentsOf: artefacts.appendingPathComponent("p4Info.txt"), encoding: .utf8)
    return try .with {
      $0.p4Info = try P4_Config_V1_P4Info(textFormatString: info)
      $0.p4DeviceConfig = try Data(
        contentsOf: artefacts.appendingPathComponent("k8s_dp.pb.bin"))
      $0.cookie = .with { $0.cookie = 7 }
    }
  }

  func push() async throws { try await push(try Self.k8sDP()) }

  func push(
    _ config: P4_V1_ForwardingPipelineConfig, electionID: UInt64 = 1
  ) async throws {
    _ = try await client.setForwardingPipelineConfig(
      .with {
        $0.deviceID = 1
        $0.electionID = .with { $0.low = electionID }
        $0.action = .verifyAndCommit
        $0.config = config
      })
  }

  func write(
    _ updates: [P4_V1_Update], _ atomicity: P4_V1_WriteRequest.Atomicity = .continueOnError,
    electionID: UInt64 = 1
  ) async throws {
    _ = try await client.write(
      .with {
        $0.deviceID = 1
        $0.electionID = .with { $0.low = electionID }
        $0.updates = updates
        $0.atomicity = atomicity
      })
  }

  /// All entries of all tables.
  func entries() async throws -> [P4_V1_Entity] {
    try await client.read(
      .with {
        $0.deviceID = 1
        $0.entities = [.with { $0.tableEntry = P4_V1_TableEntry() }]
      }
    ) { response in
      var entities: [P4_V1_Entity] = []
      for try await message in response.messages { entities += message.entities }
      return entities
    }
  }

  /// A route to an address by a port.
  static func route(
    _ address: UInt32, port: UInt32 = 2, _ type: P4_V1_Update.TypeEnum = .insert
  ) throws -> P4_V1_Update {
    let info = try k8sDP().p4Info
    let table = try #require(info.tables.first { $0.preamble.alias == "routes" })
    let action = try #require(info.actions.first { $0.preamble.alias == "route_hop" })
    func bytes(_ value: UInt64, _ count: Int) -> Data {
      Data((0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) })
    }
    return .with {
      $0.type = type
      $0.entity.tableEntry = .with {
        $0.tableID = table.preamble.id
        $0.match = [
          .with {
            $0.fieldID = 1
            $0.exact = .with { $0.value = bytes(UInt64(address), 4) }
          }
        ]
        $0.action.action = .with {
          $0.actionID = action.preamble.id
          $0.params = [UInt64(port), 0x0200_0000_0206, 0x0200_0000_0001].enumerated().map {
            index, value in
            .with {
              $0.paramID = UInt32(index + 1)
              $0.value = bytes(value, 6)
            }
          }
        }
      }
    }
  }
}
