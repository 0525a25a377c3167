import Core
import Replay

/// A report as a screen of text.
public struct TopScreen: Sendable {
  /// Of a terminal that does not say.
  public static let defaultSize = (columns: 100, rows: Int.max)
  private static let labelWidth = 24

  private let report: TopReport
  private let columns: Int
  private let rows: Int

  public init(_ report: TopReport, columns: Int, rows: Int) {
    self.report = report
    self.columns = max(40, columns)
    self.rows = rows
  }

  /// Lines no longer and no more than the screen has.
  public var lines: [String] {
    var lines = head + [""]
    let blocks = [ports, drops, tables, services]
    // What a block does not need is there for those that have more.
    var left = max(0, rows - lines.count)
    for (index, block) in blocks.enumerated() {
      let others = blocks[(index + 1)...].reduce(0) { $0 + min($1.count + 1, 5) }
      let share = max(4, left - others)
      guard left >= 3, block.count > 1 else { continue }
      var shown = Array(block.prefix(min(share - 1, left)))
      if shown.count < block.count, shown.count > 1 {
        shown[shown.count - 1] = "… \(block.count - shown.count + 1) more"
      }
      lines += shown + [""]
      left = max(0, rows - lines.count)
    }
    if lines.last == "" { lines.removeLast() }
    return lines.prefix(rows).map { String($0.prefix(columns)) }
  }

  private var head: [String] {
    let time = Double(report.time).map { ClockTime(UInt64($0 * 1e9)).description.prefix(8) } ?? ""
    func sum(_ part: KeyPath<TopReport.Port, Double>) -> Double {
      report.ports.reduce(0) { $0 + $1[keyPath: part] }
    }
    let states = report.connections.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key) \(TextTable.grouped(Int(clamping: $0.value)))" }
    let total = report.connections.values.reduce(0, +)
    return [
      "\(report.host)  infrap4d \(report.version) (\(report.engine))  \(time)",
      "\(report.health): \(report.reasons.joined(separator: "; "))",
      "in \(Self.number(sum(\.framesIn))) frames/s \(Self.unit(sum(\.bitsIn)))bit/s, "
        + "out \(Self.number(sum(\.framesOut))) frames/s \(Self.unit(sum(\.bitsOut)))bit/s, "
        + "dropped \(Self.number(sum(\.dropped)))/s, refused \(Self.number(sum(\.refused)))/s",
      "connections \(TextTable.grouped(Int(clamping: total)))"
        + (states.isEmpty ? "" : ": " + states.joined(separator: ", ")),
      "flow entries learned \(Self.number(report.learned))/s, without room "
        + "\(Self.number(report.learnFailures))/s",
    ]
  }

  private var ports: [String] {
    [
      Self.row(
        "PORT", ["IN frames/s", "IN bit/s", "OUT frames/s", "OUT bit/s", "DROP/s", "REFUSED/s"])
    ]
      + report.ports.map { port in
        let state = port.interface == nil ? " gone" : port.isUp ? "" : " down"
        return Self.row(
          (port.pod ?? port.name) + state,
          [
            Self.number(port.framesIn), Self.unit(port.bitsIn), Self.number(port.framesOut),
            Self.unit(port.bitsOut), Self.number(port.dropped), Self.number(port.refused),
          ])
      }
  }

  private var drops: [String] {
    [Self.row("DROPPED", ["frames/s", "frames"])]
      + report.drops.map { drop in
        Self.row(
          drop.reason, [Self.number(drop.rate), TextTable.grouped(Int(clamping: drop.total))])
          + "  " + (DropReason.meaning(drop.reason) ?? "")
      }
  }

  private var tables: [String] {
    [Self.row("TABLE", ["entries", "capacity", "full"])]
      + report.tables.map { table in
        let full = 100 * Double(table.entries) / Double(max(1, table.capacity))
        return Self.row(
          table.name,
          [
            TextTable.grouped(Int(clamping: table.entries)),
            TextTable.grouped(Int(clamping: table.capacity)), Self.decimal(full) + " %",
          ])
      }
  }

  private var services: [String] {
    [Self.row("SERVICE", ["connections", "endpoints"])]
      + report.services.map { service in
        Self.row(
          service.name ?? service.address,
          [
            TextTable.grouped(Int(clamping: service.connections)),
            TextTable.grouped(Int(clamping: service.endpoints)),
          ]) + (service.name == nil ? "" : "  \(service.address)")
      }
  }

  private static func row(_ label: String, _ values: [String]) -> String {
    let label =
      label.count > labelWidth ? label.prefix(labelWidth - 1) + "…" : Substring(label)
    return label + String(repeating: " ", count: labelWidth - label.count)
      + values.map { " " + String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined()
  }

  /// 1,234, or with one decimal what is less than ten.
  static func number(_ value: Double) -> String {
    value > 0 && value < 9.95 ? decimal(value) : TextTable.grouped(Int(value.rounded()))
  }

  /// `1.2 G`: with a prefix of powers of a thousand.
  static func unit(_ value: Double) -> String {
    var value = value
    for prefix in ["", "k", "M", "G"] {
      if value < 999.5 { return (prefix.isEmpty ? number(value) : decimal(value)) + " " + prefix }
      value /= 1000
    }
    return decimal(value) + " T"
  }

  private static func decimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
