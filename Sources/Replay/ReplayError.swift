import Core

/// Why a file, an option or a dataplane was refused: where, what, and what to do.
///
/// Commands print it as one line on standard error and exit with 2.
public struct ReplayError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where: `state.yaml:4:12`, `in.pcap: frame 7`, `model: route[10.244.0.6]`.
  public var place: String
  /// What is wrong and what to do, in one line.
  public var message: String

  public init(_ place: String, _ message: String) {
    self.place = place
    self.message = message
  }

  /// A dataplane's refusal, with the name of the dataplane before the entity.
  public init(_ error: DataplaneError, dataplane: String) {
    self.init("\(dataplane): \(error.entity)", error.message)
  }

  public var description: String { "\(place): \(message)" }
}
