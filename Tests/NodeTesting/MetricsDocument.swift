import Foundation

/// The tables of `docs/metrics.md`.
public struct MetricsDocument: Sendable {
  public struct Row: Hashable, Sendable {
    public var kind: String
    public var labels: Set<String>
    public var unit: String
    public var meaning: String
  }

  /// Heading → name → row.
  public private(set) var sections: [String: [String: Row]] = [:]

  public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  public init() throws {
    let text = try String(
      contentsOf: Self.repository.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
    var section = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces).replacing("`", with: "") }
      guard line.hasPrefix("| `"), cells.count == 7 else { continue }
      sections[section, default: [:]][cells[1]] = Row(
        kind: cells[2],
        labels: Set(cells[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }),
        unit: cells[4], meaning: cells[5])
    }
  }

  /// Where a program's metrics and the document differ, in words; empty when they agree.
  ///
  /// - Parameter program: the heading of its metrics. Those of every process are its own, too.
  public func differences(from exposed: ExposedMetrics, program: String) -> [String] {
    let rows = (sections[program] ?? [:])
      .merging(sections["Every daemon"] ?? [:]) { first, _ in first }
    var differences = Set(rows.keys).subtracting(exposed.families.keys).sorted()
      .map { "\($0) is documented and not exposed" }
    for (name, family) in exposed.families.sorted(by: { $0.key < $1.key }) {
      guard let row = rows[name] else {
        differences.append("\(name) is exposed and not documented")
        continue
      }
      if row.kind != family.kind { differences.append("\(name) is a \(family.kind)") }
      if row.meaning != family.help { differences.append("\(name): \(family.help)") }
      if !family.labels.isSubset(of: row.labels) {
        differences.append("\(name) has the labels \(family.labels.sorted())")
      }
      let unit =
        ["seconds", "bytes", "frames", "entries"].first {
          name.hasSuffix("_\($0)") || name.hasSuffix("_\($0)_total")
        } ?? "1"
      if row.unit != unit { differences.append("\(name) is in \(unit)") }
    }
    return differences
  }
}
