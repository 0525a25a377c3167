import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import HealthProtos
import InfraProtos
import NodeTesting
import Synchronization

/// An `inframanager` of a test, that drives a server over its Unix socket.
final class ManagerProcess: Sendable {
  typealias Client = Infra_InfraAgent.Client<HTTP2ClientTransport.Posix>

  private let program = Mutex<RunningProgram?>(nil)
  private let folder: String
  private var socket: String { folder + "/manager.sock" }
  var metricsSocket: String { folder + "/manager-metrics.sock" }
  /// The folder of what it wants.
  var state: String { folder + "/manager" }

  static let path = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("inframanager").path

  /// - Parameter folder: where its state and its socket are.
  init(folder: String) { self.folder = folder }

  /// Starts it and waits until it listens.
  func start(_ server: ServerProcess) async throws { try await start(at: server.socket) }

  /// The same, with a server's socket.
  func start(at server: String, _ settings: String...) async throws {
    let all =
      [
        "GrpcServer.addr=unix:\(server)", "GnmiServer.addr=unix:\(server)",
        "InfraManager.addr=unix:\(socket)", "State=\(state)",
        "InfraManager.metrics-addr=unix:\(metricsSocket)",
      ] + settings
    let program = try RunningProgram([Self.path] + all.flatMap { ["--set", $0] })
    self.program.withLock { $0 = program }
    try await program.wait(for: "listening")
  }

  /// SIGKILL, and the end of it.
  func killHard() async throws {
    guard let program = program.withLock({ $0 }) else { return }
    program.kill()
    while program.isRunning { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Calls it.
  func call<Result: Sendable>(
    _ body: @Sendable (Client) async throws -> Result
  ) async throws -> Result {
    try await withGRPCClient(transport: try TestController.unix(socket)) {
      try await body(Client(wrapping: $0))
    }
  }

  /// Whether it says that it does its work.
  func isServing() async throws -> Bool {
    try await withGRPCClient(transport: try TestController.unix(socket)) {
      let health = Grpc_Health_V1_Health.Client(wrapping: $0)
      return try await health.check(.init()).status == .serving
    }
  }

  /// Follows what it says of its health, until the body has heard enough.
  func watchHealth(
    _ body:
      @escaping @Sendable (Grpc_Health_V1_HealthCheckResponse.ServingStatus) async throws ->
      Bool
  ) async throws {
    try await withGRPCClient(transport: try TestController.unix(socket)) {
      try await Grpc_Health_V1_Health.Client(wrapping: $0).watch(.init()) { response in
        for try await message in response.messages
        where try await body(message.status) { return }
      }
    }
  }

  /// The code and the text of its page for probes.
  func readiness() async throws -> String {
    try await Command.check(
      "curl", "-s", "-w", "%{http_code}", "--unix-socket", metricsSocket, "http://localhost/readyz")
  }

  /// Scrapes until the metrics are as they shall be.
  @discardableResult
  func scrape(until isSo: (ExposedMetrics) throws -> Bool) async throws -> ExposedMetrics {
    while true {
      let page = try await ExposedMetrics.scrape(unix: metricsSocket)
      if try isSo(page) { return page }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// A port of the Service of ``ServiceNode``.
  static func translation(
    _ port: UInt32, to endpoint: String, _ targets: UInt32...
  ) -> Infra_NatTranslation {
    .with {
      $0.proto = "TCP"
      $0.endpoint.ipv4Addr = ServiceNode.vip
      $0.endpoint.port = port
      $0.backends = targets.map { target in
        .with {
          $0.dstEp.ipv4Addr = endpoint
          $0.dstEp.port = target
        }
      }
    }
  }

  /// The node as ``ServiceNode`` has it: host, two pods, and ports 80 and 81 of a Service.
  func program(_ names: [String]) async throws {
    try await call { client in
      _ = try await client.setupHostInterface(
        .with {
          $0.ifName = names[1]
          $0.ipv4Addr = "200.1.1.2/32"
          $0.macAddr = "02:00:00:00:01:02"
        })
      for (name, ip, mac) in [
        (names[2], "10.244.0.6/32", "02:00:00:00:02:06"),
        (names[3], "10.244.0.7/32", "02:00:00:00:02:07"),
      ] {
        _ = try await client.createNetwork(
          .with {
            $0.hostIfName = name
            $0.macAddr = mac
            $0.addRequest.containerIps = [.with { $0.address = ip }]
          })
      }
      _ = try await client.natTranslationAdd(Self.translation(80, to: "10.244.0.7", 8080))
      _ = try await client.natTranslationAdd(Self.translation(81, to: "10.244.0.7", 8081))
    }
  }
}
