import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// Which entries a query is about.
extension ForwardingState {
  /// The keys of a table, in a stable order: higher priorities first.
  func keys(of table: P4Program.Table) -> [MatchKey] {
    (tables[table.id] ?? [:]).keys.sorted { a, b in
      if a.priority != b.priority { return a.priority > b.priority }
      if a.values != b.values { return a.values.lexicographicallyPrecedes(b.values) }
      return a.masks.lexicographicallyPrecedes(b.masks)
    }
  }

  /// Where what belongs to the entries of a table is, in no order.
  func places(in table: P4Program.Table) -> [Element.Place] {
    (tables[table.id] ?? [:]).keys.map { place(of: $0, in: table) }
  }

  /// The entries of one table that a query about entries selects: its default entry, one, or
  /// all, which may be those of one priority.
  ///
  /// - Returns: nil is the default entry.
  func selected(
    by query: P4_V1_TableEntry, in table: P4Program.Table
  ) throws(P4Error) -> [MatchKey?] {
    if query.isDefaultAction {
      guard query.match.isEmpty, query.priority == 0 else {
        throw P4Error(.invalidArgument, "the default entry has neither match nor priority")
      }
      return [nil]
    }
    guard query.match.isEmpty else {
      let key = try program.key(of: query, in: table)
      guard tables[table.id]?[key] != nil else {
        throw P4Error(.notFound, "\(table.name) has no entry with this key")
      }
      return [key]
    }
    return keys(of: table).filter { query.priority == 0 || query.priority == $0.priority }
  }

  /// The tables that a query about entries is about: one, or all.
  func tables(of query: P4_V1_TableEntry) throws(P4Error) -> [P4Program.Table] {
    guard query.tableID == 0 else { return [try table(query.tableID)] }
    guard query.match.isEmpty, query.priority == 0, !query.isDefaultAction else {
      throw P4Error(.invalidArgument, "reading all tables takes no other filter; set table_id")
    }
    return program.tables.values.sorted { $0.id < $1.id }
  }
}
