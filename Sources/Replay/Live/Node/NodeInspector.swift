import Certificates
import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane
import InspectionProtos
import Replay

/// A look at a running `infrap4d`. It changes nothing there, and takes the place of no
/// controller.
public final class NodeInspector: Sendable {
  typealias Client = K8sdp_V1_Inspection.Client<HTTP2ClientTransport.Posix>

  /// `infrap4d:HOST:PORT` or `infrap4d:unix:PATH`.
  public let name: String
  let client: Client
  /// A server that is not there is an answer.
  let options: CallOptions
  private let grpc: GRPCClient<HTTP2ClientTransport.Posix>

  /// - Parameter security: of HOST:PORT.
  /// - Throws: for an address that is none, and certificates that cannot be used.
  public init(_ name: String, security: Infrap4dOptions.Security) throws(ReplayError) {
    self.name = name
    let server = try DataplaneFactory.options(name, security: security)
    do { grpc = GRPCClient(transport: try server.transportNow()) } catch {
      throw Self.explain(error, name)
    }
    client = Client(wrapping: grpc)
    var options = CallOptions.defaults
    options.waitForReady = false
    self.options = options
    Task.detached { [grpc] in try? await grpc.runConnections() }
  }

  deinit { grpc.beginGracefulShutdown() }

  /// Whether it is on this machine, as far as the address says so.
  public var isLocal: Bool {
    ["infrap4d:unix:", "infrap4d:localhost:", "infrap4d:127."].contains { name.hasPrefix($0) }
  }

  /// Ports, counters, tables, connections.
  public func status() async throws(ReplayError) -> NodeState {
    do {
      return NodeState(try await client.getStatus(K8sdp_V1_GetStatusRequest(), options: options))
    } catch { throw explain(error) }
  }

  /// The same, of a node that runs k8s_dp.
  public func k8sDPStatus() async throws(ReplayError) -> NodeState {
    let state = try await status()
    switch state.pipeline {
    case .k8sDP: return state
    case .none:
      throw ReplayError(
        name, "no pipeline is installed; a controller has to push one: is inframanager running?")
    case .other:
      throw ReplayError(name, "runs another pipeline than this version's k8s_dp; capture works")
    }
  }

  /// What an error means, and what to do.
  func explain(_ error: any Error) -> ReplayError { Self.explain(error, name) }

  private static func explain(_ error: any Error, _ name: String) -> ReplayError {
    if let error = error as? ReplayError { return error }
    if let error = error as? CertificateError { return ReplayError(error.path, error.message) }
    if let failure = error as? ConnectionFailure ?? ConnectionFailure(error) {
      return ReplayError(name, "infrap4d is not reached: \(failure)")
    }
    guard let error = error as? RPCError else { return ReplayError(name, "\(error)") }
    guard error.code == .unimplemented else { return ReplayError(name, error.message) }
    return ReplayError(
      name,
      "has no service k8sdp.v1.Inspection: it is upstream's infrap4d, or an older one of ours")
  }
}
