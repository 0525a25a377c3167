/// What went wrong between this node and the API server.
public struct KubernetesError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The kubeconfig or the service account cannot be used.
    case configuration
    /// The server was not reached, or was lost.
    case unreachable
    /// It does not know us, or does not let us.
    case refused
    /// What it remembers begins later: list anew.
    case expired
    /// It answered something that cannot be understood.
    case protocolError
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
