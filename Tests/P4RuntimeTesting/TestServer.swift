import Core
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import Hosting
import Logging
import P4RuntimeProtos
import P4RuntimeService

/// A P4Runtime server on a TCP port of the loopback interface, and a client of it.
public struct TestServer: Sendable {
  public typealias Transport = HTTP2ClientTransport.Posix

  public let host: DirectHost
  public let controller: PipelineController
  public let port: Int
  public let client: P4_V1_P4Runtime.Client<Transport>

  /// Runs `body` with a server, and ends the server.
  public static func run(
    _ engine: DataplaneMaker = Engine.store, packets: (any PacketIO)? = nil,
    journal: (any PipelineJournal)? = nil, options: PipelineController.Options = .init(),
    _ body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    let host = DirectHost()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let controller = PipelineController(
      host: host, maker: engine, packets: packets, journal: journal, options: options,
      logger: logger)
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext,
      config: .defaults {
        $0.rpc.maxRequestPayloadSize = 64 << 20
        $0.connection.maxGraceTime = .milliseconds(100)
      })
    let server = GRPCServer(transport: transport, services: [P4RuntimeService(controller)])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await controller.deliverPackets() }
      group.addTask { await controller.watchIdleEntries() }
      defer { group.cancelAll() }
      try await server.serve {
        let port = try await transport.listeningAddress.ipv4?.port ?? 0
        try await connected(to: port) { client in
          try await body(
            TestServer(host: host, controller: controller, port: port, client: client))
        }
      }
    }
  }

  /// Runs `body` with another connection.
  public static func connected(
    to port: Int, _ body: (P4_V1_P4Runtime.Client<Transport>) async throws -> Void
  ) async throws {
    try await withGRPCClient(transport: try .loopback(port)) {
      try await body(P4_V1_P4Runtime.Client(wrapping: $0))
    }
  }
}
