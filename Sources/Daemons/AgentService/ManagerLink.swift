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

  /// How the manager begins to serve.
  public enum Beginning: Sendable {
    /// It may be another process, which knows nothing.
    case anew
    /// It has been there all the time, and could not do its work.
    case again
  }

  /// Follows the manager's health until the task is cancelled.
  ///
  /// - Parameter begins: called whenever it begins to serve. Its task is cancelled when that
  ///   changes.
  public func follow(_ begins: @escaping @Sendable (Beginning) async -> Void) async {
    let health = Grpc_Health_V1_Health.Client(wrapping: client)
    // What is told may take its time: the health is followed meanwhile.
    let telling = Mutex<Task<Void, Never>?>(nil)
    @Sendable func tell(_ beginning: Beginning?) {
      telling.withLock { telling in
        let before = telling
        before?.cancel()
        guard let beginning else { return }
        telling = Task {
          await before?.value
          guard !Task.isCancelled else { return }
          await begins(beginning)
        }
      }
    }
    while !Task.isCancelled {
      do {
        try await health.watch(.init()) { response in
          var beginning = Beginning.anew
          for try await status in response.messages {
            let isServing = status.status == .serving
            let was = self.serving.withLock { serving in
              defer { serving = isServing }
              return serving
            }
            guard was != isServing else { continue }
            if isServing {
              self.logger.notice("Infra Manager serves")
              tell(beginning)
              beginning = .again
            } else {
              self.logger.warning("Infra Manager does not serve; its log says why")
              tell(nil)
            }
          }
        }
      } catch {
        logger.debug("Infra Manager is away", metadata: ["reason": "\(error)"])
      }
      let was = serving.withLock { serving in
        defer { serving = false }
        return serving
      }
      tell(nil)
      if was { logger.warning("Infra Manager is away") }
      try? await Task.sleep(for: Self.pause)
    }
    tell(nil)
    await telling.withLock(\.self)?.value
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
