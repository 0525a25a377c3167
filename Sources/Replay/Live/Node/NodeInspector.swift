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
  /// - Throws: for an address that is none, and certificates that are not there.
  public init(_ name: String, security: Infrap4dOptions.Security) throws(ReplayError) {
    self.name = name
    let server = try DataplaneFactory.options(name, security: security)
    if case .tcp = server.address, case .mutualTLS(let folder) = security { try Self.check(folder) }
    do { grpc = GRPCClient(transport: try server.transport()) } catch {
      throw ReplayError(name, "the certificates cannot be used: \(error)")
    }
    client = Client(wrapping: grpc)
    var options = CallOptions.defaults
    options.waitForReady = false
    self.options = options
    Task.detached { [grpc] in try? await grpc.runConnections() }
  }

  deinit { grpc.beginGracefulShutdown() }

  private static func check(_ folder: String) throws(ReplayError) {
    for file in ["ca.crt", "client.crt", "client.key"] {
      guard FileManager.default.isReadableFile(atPath: "\(folder)/\(file)") else {
        throw ReplayError(
          "\(folder)/\(file)",
          "cannot be read; give --certs, the folder with ca.crt, client.crt and client.key, or "
            + "--from infrap4d:unix:PATH")
      }
    }
  }

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
  func explain(_ error: any Error) -> ReplayError {
    if let error = error as? ReplayError { return error }
    guard let error = error as? RPCError else { return ReplayError(name, "\(error)") }
    let cause = error.cause.map { "\($0)" } ?? ""
    switch error.code {
    case .unimplemented:
      return ReplayError(
        name,
        "has no service k8sdp.v1.Inspection: it is upstream's infrap4d, or an older one of ours")
    case .unavailable:
      return ReplayError(name, Self.whyUnavailable(error.message, cause))
    default: return ReplayError(name, error.message)
    }
  }

  private static func whyUnavailable(_ message: String, _ cause: String) -> String {
    let text = message + " " + cause
    func has(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
    if has("CERTIFICATE", "certificate", "sslError", "handshake") {
      return "the certificates are not taken; give --certs, the folder that infrap4d's client "
        + "certificates are in (\(cause.isEmpty ? message : cause))"
    }
    if has("Permission denied", "errno: 13", "errno: 1)") {
      return "may not be opened by this user; be root, or one of the socket's group"
    }
    if has("refused", "No such file", "errno: 2)", "errno: 111") {
      return "nobody listens there; is infrap4d running, and is this its --listen address?"
    }
    return "cannot be reached: \(cause.isEmpty ? message : cause)"
  }
}
