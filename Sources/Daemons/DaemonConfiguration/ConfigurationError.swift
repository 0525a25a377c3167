/// What is wrong with a daemon's settings.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
  /// File, line and column, or the flag.
  public var place: String
  public var message: String

  public init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }

  public var description: String { "\(place): \(message)" }
}
