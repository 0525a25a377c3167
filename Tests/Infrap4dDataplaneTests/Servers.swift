import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import Infrap4dDataplane
import Logging
import P4RuntimeProtos
import P4RuntimeService
import P4RuntimeTesting

/// Servers on a Unix socket, and controllers of them.
enum Servers {
  static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  static func socket() -> String {
    NSTemporaryDirectory() + "i4d-\(UUID().uuidString.prefix(8)).sock"
  }

  /// Runs `body` while the services are served at a socket.
  static func serve<Result: Sendable>(
    _ services: [any RegistrableRPCService], at path: String,
    _ body: @Sendable @escaping () async throws -> Result
  ) async throws -> Result {
    try? FileManager.default.removeItem(atPath: path)
    let transport = HTTP2ServerTransport.Posix(
      address: .unixDomainSocket(path: path), transportSecurity: .plaintext,
      config: .defaults { $0.connection.maxGraceTime = .milliseconds(100) })
    let server = GRPCServer(transport: transport, services: services)
    return try await server.serve {
      _ = try await server.listeningAddress
      return try await body()
    }
  }

  /// Our own service, on a dataplane that only keeps entries.
  static func ours() -> (service: P4RuntimeService, host: DirectHost) {
    let host = DirectHost()
    let controller = PipelineController(host: host, maker: Engine.store, logger: logger)
    return (P4RuntimeService(controller), host)
  }

  static func client(
    _ path: String, electionID: UInt64 = 10, pipeline: P4_V1_ForwardingPipelineConfig?,
    _ change: (inout Infrap4dOptions) -> Void = { _ in }
  ) async throws -> Infrap4dClient {
    var options = Infrap4dOptions()
    options.address = .unix(path: path)
    options.security = .plaintext
    options.electionID = electionID
    options.pipeline = pipeline
    // Other tests may have the processors.
    options.patience = .seconds(3600)
    options.backoff = .milliseconds(10)...(.milliseconds(50))
    change(&options)
    let client = try Infrap4dClient(options, logger: logger)
    await client.start()
    return client
  }
}

/// Rows of the test pipeline, in the engine's names.
enum Rows {
  static func route(_ key: UInt64, port: UInt64 = 1, mac: UInt64 = 7) -> TableEntry {
    TableEntry(table: "routes", key: [key], action: "route", arguments: [port, mac])
  }

  static func member(_ id: UInt64, port: UInt64 = 1) -> TableEntry {
    TableEntry(table: "backends", key: [id], action: "pick", arguments: [port])
  }

  static func group(_ id: UInt32, _ members: [UInt32]) -> Update {
    .setGroup(selector: "backends_sel", group: id, members: members.map { GroupMember(id: $0) })
  }

  static func vip(_ key: UInt64, group: UInt64) -> TableEntry {
    TableEntry(table: "vips", key: [key], action: "vips_set_group_id", arguments: [group])
  }
}
