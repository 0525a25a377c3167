import Synchronization

/// A counter for each combination of labels. For control operations; frames are counted by
/// the threads that move them.
public final class Tally: Sendable {
  private let counts: Mutex<[[String]: UInt64]>

  /// - Parameter known: combinations that shall be there from the beginning, with 0: a rate
  ///   over a counter that appears with its first event misses that event.
  public init(_ known: [[String]] = []) {
    counts = Mutex(Dictionary(known.map { ($0, 0) }) { first, _ in first })
  }

  /// - Parameter labels: their values, in the order of the metric's.
  public func add(_ labels: String..., count: Int = 1) {
    guard count > 0 else { return }
    counts.withLock { $0[labels, default: 0] += UInt64(count) }
  }

  /// By the labels' values.
  public var values: [[String]: UInt64] { counts.withLock(\.self) }
}
