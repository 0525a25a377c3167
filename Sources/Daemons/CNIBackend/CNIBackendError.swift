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
    /// infrap4d was not reached.
    case unreachable
    /// infrap4d makes no TAP now.
    case noTAP
    /// A TAP is not where the agent is, or not the port that it has to be.
    case misplacedTAP
    /// The Infra Manager was not reached, or cannot do its work now.
    case managerAway
    /// The Infra Manager refused.
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
