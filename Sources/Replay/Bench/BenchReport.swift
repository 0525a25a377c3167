import Core
import Foundation

/// The figures of a benchmark.
public struct BenchReport: Encodable {
  /// One measurement: the least disturbed round, and how far the others were off.
  struct Figure: Encodable {
    var name: String
    /// The best round.
    var value: Double
    var unit: String
    var worst: Double

    enum CodingKeys: String, CodingKey { case name, value, unit }
  }

  private(set) var figures: [Figure] = []

  /// Adds a round.
  ///
  /// - Parameter least: whether less is better.
  mutating func add(_ name: String, _ value: Double, _ unit: String, least: Bool = false) {
    guard let i = figures.firstIndex(where: { $0.name == name }) else {
      figures.append(Figure(name: name, value: value, unit: unit, worst: value))
      return
    }
    let (low, high) = (min(figures[i].value, value), max(figures[i].value, value))
    let (lowest, highest) = (min(figures[i].worst, value), max(figures[i].worst, value))
    figures[i].value = least ? low : high
    figures[i].worst = least ? highest : lowest
  }

  /// Adds how many times as fast one figure is as another.
  mutating func addRatio(_ name: String, to other: String, file: String) {
    guard let a = figures.first(where: { $0.name == name }),
      let b = figures.first(where: { $0.name == other })
    else { return }
    let ratio = a.value / b.value
    figures.append(
      Figure(name: "\(name)/against", value: ratio, unit: "times \(file)", worst: ratio))
  }

  /// An array of `{"name", "value", "unit"}`.
  public func encode(to encoder: any Encoder) throws { try figures.encode(to: encoder) }

  /// A table for people.
  public var text: String {
    var table = TextTable()
    table.add("", ["best", "worst round", ""])
    for figure in figures {
      table.add(
        figure.name, [Self.short(figure.value), Self.short(figure.worst), Self.unit(figure)])
    }
    return table.text
  }

  private static func unit(_ figure: Figure) -> String {
    figure.value >= 1e5 ? "M \(figure.unit)" : figure.unit
  }

  private static func short(_ value: Double) -> String {
    value >= 1e5
      ? String(format: "%.2f", value / 1e6) : String(format: value < 1 ? "%.3f" : "%.2f", value)
  }
}
