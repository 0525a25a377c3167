import Glibc

/// Turns SIGTERM and SIGINT into a call. One that comes before ends the program.
public final class TerminationSignals: Sendable {
  private let calls: [SignalCall]

  /// - Parameter body: called with the signal's name, on a queue of each signal's own.
  public init(_ body: @escaping @Sendable (String) -> Void) {
    calls = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
      SignalCall(number, endsBefore: true) { body(name) }
    }
  }
}
