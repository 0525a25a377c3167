import ArgumentParser

/// A time as people write it: `30`, `0.5`, `500ms`, `2m`. Seconds unless it says otherwise.
struct Seconds: ExpressibleByArgument, Hashable, Sendable {
  /// A week, in nanoseconds.
  private static let longest = 7 * 86_400 * 1e9
  private static let units: [(suffix: String, nanoseconds: Double)] = [
    ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("", 1e9),
  ]

  var nanoseconds: UInt64

  init?(argument: String) {
    guard let unit = Self.units.first(where: { argument.hasSuffix($0.suffix) }),
      let number = Double(argument.dropLast(unit.suffix.count)), number.isFinite, number > 0,
      argument.utf8.allSatisfy({ (46...122).contains($0) && $0 != UInt8(ascii: "/") })
    else { return nil }
    let value = number * unit.nanoseconds
    guard value >= 1e6, value <= Self.longest else { return nil }
    nanoseconds = UInt64(value)
  }

  var duration: Duration { .nanoseconds(Int64(nanoseconds)) }
}
