/// Why a pod was not connected or disconnected. The message says what to do.
public struct CNIBackendError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The request cannot be carried out by anybody.
    case invalidRequest
    /// There is no network namespace where the request says.
    case noNamespace
    /// Another pod has the address.
    case addressInUse
    /// The namespace has an interface of this name that is not ours.
    case interfaceInUse
    /// No TAP could be had.
    case noTAP
    /// The Infra Manager refused, or was not reached.
    case manager
    /// The kernel refused.
    case kernel
    /// What must survive a restart could not be written.
    case record
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
