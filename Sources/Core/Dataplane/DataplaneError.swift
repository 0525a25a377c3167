/// Why a dataplane refused something. Nothing of it has taken effect.
public struct DataplaneError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of error, with the meaning of the gRPC code of the same name.
  public enum Code: String, Sendable {
    case invalidArgument
    case notFound
    case alreadyExists
    case resourceExhausted
    case outOfRange
    case unavailable
    case unimplemented
  }

  public var code: Code
  /// What the error is about, such as `route[10.244.0.6]` or `k8s_dp.spec:12`.
  public var entity: String
  /// What is wrong and what to do, in one line.
  public var message: String

  public init(_ code: Code, _ entity: String, _ message: String) {
    self.code = code
    self.entity = entity
    self.message = message
  }

  public var description: String { "\(entity): \(message)" }
}
