/// Labels on the left, numbers aligned on the right.
public struct TextTable {
  private var rows: [(label: String, values: [String])] = []

  public init() {}

  public mutating func add(_ label: String, _ values: Int...) {
    rows.append((label, values.map(Self.grouped)))
  }

  public mutating func add(_ label: String, _ values: [String]) {
    rows.append((label, values))
  }

  /// One line a row, each ended by a newline.
  public var text: String {
    let label = rows.map(\.label.count).max() ?? 0
    let columns = rows.map(\.values.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.values.count > column ? $0.values[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = row.label + String(repeating: " ", count: label - row.label.count)
      for (value, width) in zip(row.values, widths) {
        line += "  " + String(repeating: " ", count: width - value.count) + value
      }
      return line + "\n"
    }.joined()
  }

  /// 1234567 → 1,234,567.
  public static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text = "," + text }
      text = String(digit) + text
    }
    return (number < 0 ? "-" : "") + text
  }
}
