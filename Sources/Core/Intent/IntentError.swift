/// Why an intent cannot be programmed. Nothing has changed.
public struct IntentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The pod, Service or table it is about, such as `pod web-1`.
  public var entity: String
  /// What is wrong and what to do, in one line.
  public var message: String

  public init(_ entity: String, _ message: String) {
    self.entity = entity
    self.message = message
  }

  public var description: String { "\(entity): \(message)" }
}
