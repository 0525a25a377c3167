import Foundation

/// A figure, and what it should be.
struct Figure: Encodable, CustomStringConvertible {
  var name: String
  var value: Double
  var unit: String
  /// At most this, where there is an aim.
  var aim: Double?

  /// Whether it is not what it should be.
  var isMissed: Bool { aim.map { value > $0 } ?? false }

  var description: String {
    let name = name.padding(toLength: 64, withPad: " ", startingAt: 0)
    let value = String(format: "%10.2f %@", value, unit)
    guard let aim else { return name + value + "  (no aim)" }
    return name + value + String(format: "  (aim: at most %g%@)", aim, isMissed ? ", missed" : "")
  }
}

/// Durations that were measured one by one.
struct Sample {
  /// Seconds.
  private var values: [Double] = []

  mutating func add(_ duration: Duration) { values.append(duration / .seconds(1)) }

  /// The value below which so much of them lie: the nearest rank.
  func percentile(_ part: Double) -> Double {
    let sorted = values.sorted()
    return sorted[max(0, Int((part * Double(sorted.count)).rounded(.up)) - 1)]
  }

  /// Median, 99th percentile and worst, in milliseconds.
  func figures(_ name: String, aim: Double?) -> [Figure] {
    [
      Figure(name: "\(name): p50", value: percentile(0.5) * 1000, unit: "ms"),
      Figure(name: "\(name): p99", value: percentile(0.99) * 1000, unit: "ms", aim: aim),
      Figure(name: "\(name): worst", value: percentile(1) * 1000, unit: "ms"),
    ]
  }
}
