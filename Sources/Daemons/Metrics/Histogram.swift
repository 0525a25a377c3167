import Synchronization

/// Counts observations by size. For what control operations take; frames are not observed.
public final class Histogram: Sendable {
  /// What was observed so far.
  public struct Value: Hashable, Sendable {
    /// Upper bounds, inclusive, ascending; a last bucket has no bound.
    public let bounds: [Double]
    /// Observations of each bucket alone, one more than bounds.
    public internal(set) var counts: [UInt64]
    public internal(set) var sum: Double = 0

    public init(bounds: [Double] = Histogram.seconds) {
      self.bounds = bounds
      counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public mutating func observe(_ value: Double) {
      counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
      sum += value
    }

    public mutating func observe(_ duration: Duration) {
      observe(duration / .seconds(1))
    }
  }

  /// From a millisecond to half a minute.
  public static let seconds: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  ]

  private let state: Mutex<[[String]: Value]>
  private let bounds: [Double]

  public init(bounds: [Double] = Histogram.seconds) {
    self.bounds = bounds
    state = Mutex([:])
  }

  /// - Parameter labels: their values, in the order of the metric's.
  public func observe(_ duration: Duration, _ labels: String...) {
    state.withLock { $0[labels, default: Value(bounds: bounds)].observe(duration) }
  }

  /// By the labels' values.
  public var values: [[String]: Value] { state.withLock(\.self) }
}
