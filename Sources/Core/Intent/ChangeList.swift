/// Collects row changes and orders them so that nothing ever dangles: what is
/// pointed at is written before, and deleted after, what points at it.
struct ChangeList {
  private static let order = ["endpoints", "slots", "services", "routes", "arp_targets"]
  private var written: [String: [Update]] = [:]
  private var deleted: [String: [Update]] = [:]

  mutating func insert(_ row: TableEntry) { written[row.table, default: []].append(.insert(row)) }

  mutating func modify(_ row: TableEntry) { written[row.table, default: []].append(.modify(row)) }

  mutating func delete(_ row: TableEntry) {
    deleted[row.table, default: []].append(.delete(table: row.table, key: row.key))
  }

  /// Rows of one table by a one-field key.
  mutating func difference(from old: [UInt64: TableEntry], to new: [UInt64: TableEntry]) {
    for key in new.keys.sorted() {
      guard let row = new[key] else { continue }
      if let before = old[key] {
        if before != row { modify(row) }
      } else {
        insert(row)
      }
    }
    for key in old.keys.sorted() where new[key] == nil {
      if let row = old[key] { delete(row) }
    }
  }

  /// Rows whose key is their position.
  mutating func difference(from old: [TableEntry], to new: [TableEntry]) {
    for (i, row) in new.enumerated() {
      if i >= old.count {
        insert(row)
      } else if old[i] != row {
        modify(row)
      }
    }
    for row in old.dropFirst(new.count) { delete(row) }
  }

  var updates: [Update] {
    Self.order.flatMap { written[$0] ?? [] } + Self.order.reversed().flatMap { deleted[$0] ?? [] }
  }
}
