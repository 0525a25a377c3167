import Core
import Foundation

/// The files beside the state file of a snapshot: rows, learned entries, updates.
enum SnapshotFiles {
  static let tablesKind = "tables"
  static let flowsKind = "flows"
  static let updatesKind = "updates"

  private static let text = RowText(K8sDP.contract)
  private static let timers = Dictionary(
    uniqueKeysWithValues: K8sDP.Timer.allCases.map { ($0.name, $0) })

  // MARK: Reading

  static func rows(contentsOf path: String) throws(ReplayError) -> [TableEntry] {
    let file = try WordFile(contentsOf: path, kind: tablesKind)
    try file.header.check(count: 0)
    var rows: [TableEntry] = []
    var seen: Set<RowKey> = []
    try file.read { (line) throws(ReplayError) in
      let (entry, next) = try text.entry(line, from: 0)
      try line.check(count: next)
      guard K8sDP.Table(rawValue: entry.table) != nil else {
        throw line.error(0, "\(entry.table) is filled by the pipeline; its entries are flows")
      }
      try check(line, entry)
      guard seen.insert(RowKey(table: entry.table, key: entry.key)).inserted else {
        throw line.error(0, "the same row is there already; keep one")
      }
      rows.append(entry)
    }
    return rows
  }

  private static func check(_ line: WordFile.Line, _ entry: TableEntry) throws(ReplayError) {
    guard let port = entry.egress, port >= DataplaneFactory.maximumPorts else { return }
    throw line.error(
      0, "leads to port \(port), and ports are 0 to \(DataplaneFactory.maximumPorts - 1)")
  }

  static func learned(contentsOf path: String) throws(ReplayError) -> StateSnapshot.Learned {
    let file = try WordFile(contentsOf: path, kind: flowsKind)
    guard file.header.text(0) == "hertz", file.header.text(2) == "cycles" else {
      throw file.header.error(0, "the first line goes on with \"hertz N cycles N\"")
    }
    try file.header.check(count: 4)
    var learned = StateSnapshot.Learned(
      hertz: try file.header.number(1, "hertz", 1_000_000...100_000_000_000),
      cycles: try file.header.number(3, "cycles", 0...UInt64(1) << 62), entries: [])
    try file.read { (line) throws(ReplayError) in
      let (entry, next) = try text.entry(line, from: 0)
      guard let timer = timers[line.text(next)] else {
        throw line.error(
          next,
          "a timer is one of \(K8sDP.Timer.allCases.map(\.name).joined(separator: ", "))")
      }
      // Units of 2³² cycles.
      let expiry = try line.number(next + 1, "the expiry", 0...UInt64(UInt32.max))
      try line.check(count: next + 2)
      guard K8sDP.Table(rawValue: entry.table) == nil else {
        throw line.error(0, "\(entry.table) is filled by controllers; its rows are tables")
      }
      learned.entries.append(
        LearnedEntry(
          table: entry.table, key: entry.key, action: entry.action, arguments: entry.arguments,
          timer: timer.rawValue, expiry: expiry << 32))
    }
    return learned
  }

  static func changes(contentsOf path: String) throws(ReplayError) -> [StateSnapshot.Change] {
    let file = try WordFile(contentsOf: path, kind: updatesKind)
    try file.header.check(count: 0)
    var changes: [StateSnapshot.Change] = []
    try file.read { (line) throws(ReplayError) in
      let word = line.text(0)
      if word == "at" {
        try line.check(count: 2)
        let time = try line.number(1, "at, in nanoseconds,", 0...UInt64(1) << 60)
        if let last = changes.last, time < last.at.nanoseconds {
          throw line.error(1, "is earlier than the updates above; put them in order of time")
        }
        changes.append(StateSnapshot.Change(at: Timestamp(nanoseconds: time), updates: []))
        return
      }
      guard !changes.isEmpty else {
        throw line.error(0, "an update stands below a line \"at NANOSECONDS\"")
      }
      changes[changes.count - 1].updates.append(try update(line, word))
    }
    return changes
  }

  private static func update(_ line: WordFile.Line, _ word: String) throws(ReplayError) -> Update {
    if word == "delete" {
      let (table, key) = try text.key(line, from: 1)
      try line.check(count: 2 + key.count)
      return .delete(table: table, key: key)
    }
    guard word == "insert" || word == "modify" else {
      throw line.error(0, "is at, insert, modify or delete, not \"\(word)\"")
    }
    let (entry, next) = try text.entry(line, from: 1)
    try line.check(count: next)
    try check(line, entry)
    return word == "insert" ? .insert(entry) : .modify(entry)
  }

  // MARK: Writing

  /// The first line of a file.
  static func header(_ kind: String, _ rest: String = "") -> String {
    "\(StateFileDecoder.apiVersion) \(kind)\(rest)\n"
  }

  static func line(_ entry: TableEntry) -> String { text.line(entry) + "\n" }

  static func line(_ entry: LearnedEntry) -> String {
    let row = TableEntry(
      table: entry.table, key: entry.key, action: entry.action, arguments: entry.arguments)
    let timer = K8sDP.Timer(rawValue: entry.timer) ?? .tcpStale
    return "\(text.line(row)) \(timer.name) \(entry.expiry >> 32)\n"
  }

  /// - Returns: nil for what k8s_dp has not.
  static func line(_ update: Update) -> String? {
    switch update {
    case .insert(let entry): "insert \(text.line(entry))\n"
    case .modify(let entry): "modify \(text.line(entry))\n"
    case .delete(let table, let key): "delete \(text.line(table: table, key: key))\n"
    case .setDefault, .resetDefault, .setGroup: nil
    }
  }

  private struct RowKey: Hashable {
    var table: String
    var key: [UInt64]
  }
}
