import CNIBackend
import Core
import GRPCCore
import HealthProtos
import InfraProtos
import Logging
import Synchronization

/// The Infra Manager as the agent sees it: whether it serves, and what to tell it each time
/// it begins to.
public final class ManagerLink<Transport: ClientTransport>: Sendable {
  private let client: GRPCClient<Transport>
  private let logger: Logger
  private let serving = Mutex(false)
  /// How long a call may take.
  private static var patience: Duration { .seconds(10) }
  private static var pause: Duration { .milliseconds(500) }

  public init(_ client: GRPCClient<Transport>, logger: Logger) {
    self.client = client
    self.logger = logger
  }

  public var isServing: Bool { serving.withLock { $0 } }

  /// Follows the manager's health until the task is cancelled.
  ///
  /// - Parameter begins: called whenever it begins to serve.
  public func follow(_ begins: @escaping @Sendable () async -> Void) async {
    let health = Grpc_Health_V1_Health.Client(wrapping: client)
    while !Task.isCancelled {
      do {
        try await health.watch(.init()) { response in
          for try await status in response.messages {
            let isServing = status.status == .serving
            let was = self.serving.withLock { serving in
              defer { serving = isServing }
              return serving
            }
            guard was != isServing else { continue }
            if isServing {
              self.logger.notice("Infra Manager serves")
            } else {
              self.logger.warning("Infra Manager does not serve; its log says why")
            }
            if isServing { await begins() }
          }
        }
      } catch {
        logger.debug("Infra Manager is away", metadata: ["reason": "\(error)"])
      }
      let was = serving.withLock { serving in
        defer { serving = false }
        return serving
      }
      if was { logger.warning("Infra Manager is away") }
      try? await Task.sleep(for: Self.pause)
    }
  }

  /// Tells of the node's own interface.
  public func setUp(_ host: HostInterface.Address) async throws {
    let request = Infra_SetupHostInterfaceRequest.with {
      $0.ifName = host.tap
      $0.ipv4Addr = "\(host.ip)/32"
      $0.macAddr = host.mac.description
    }
    let reply = try await Infra_InfraAgent.Client(wrapping: client)
      .setupHostInterface(request, options: Self.options)
    guard reply.successful else {
      throw RPCError(code: .aborted, message: "the manager says: \(reply.errorMessage)")
    }
  }

  /// Tells of policies.
  public func forward(_ message: Felix_ToDataplane) async throws {
    try await Infra_InfraAgent.Client(wrapping: client).forward(message, options: Self.options)
  }

  private static var options: CallOptions {
    var options = CallOptions.defaults
    options.timeout = patience
    return options
  }
}
