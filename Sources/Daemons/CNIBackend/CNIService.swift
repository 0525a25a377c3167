import GRPCCore
import InfraProtos
import Logging

/// The service that Calico's CNI plugin, and ours, calls. A request that cannot be carried
/// out is answered `successful = false` with a message, and never with an error of gRPC. The
/// message begins with ``later`` or ``noNamespace`` where a plugin has a code for that.
public struct CNIService: Cni_CniDataplane.SimpleServiceProtocol {
  /// It may be well when the same is asked again.
  static let later = "try again later: "
  /// There is no network namespace at the path.
  static let noNamespace = "no namespace: "

  private let backend: CNIBackend
  private let activity: CNIActivity
  private let logger: Logger

  public init(
    _ backend: CNIBackend, activity: CNIActivity = CNIActivity(), logger: Logger
  ) {
    self.backend = backend
    self.activity = activity
    self.logger = logger
  }

  public func add(request: Cni_AddRequest, context: ServerContext) async throws -> Cni_AddReply {
    var reply = Cni_AddReply()
    do {
      // A caller that hangs up leaves nothing half done.
      let connection = try await activity.count("add") {
        try await Task { try await backend.add(request) }.value
      }
      reply.successful = true
      reply.hostInterfaceName = connection.tap
      reply.containerMac = connection.mac
    } catch {
      reply.errorMessage = Self.message(error)
      log("Add", request.interfaceName, request.netns, error)
    }
    return reply
  }

  public func del(request: Cni_DelRequest, context: ServerContext) async throws -> Cni_DelReply {
    var reply = Cni_DelReply()
    do {
      try await activity.count("del") {
        try await Task { try await backend.delete(request) }.value
      }
      reply.successful = true
    } catch {
      reply.errorMessage = Self.message(error)
      log("Del", request.interfaceName, request.netns, error)
    }
    return reply
  }

  private static func message(_ error: any Error) -> String {
    switch (error as? CNIBackendError)?.code {
    case .unreachable, .noTAP, .managerAway: "\(later)\(error)"
    case .noNamespace: "\(noNamespace)\(error)"
    default: "\(error)"
    }
  }

  private func log(_ call: String, _ interface: String, _ netns: String, _ error: any Error) {
    logger.warning(
      "\(call) failed",
      metadata: [
        "interface": "\(interface.prefix(100))", "netns": "\(netns.prefix(200))",
        "reason": "\(error)",
      ])
  }
}
