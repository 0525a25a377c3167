#if DPDK
  import CSWX
  import Core

  /// Tables that the engine makes a whole of all their entries, its wildcard match: those with
  /// `lpm` and `wildcard` fields, and those whose exact fields have others in between. A batch
  /// that changes one makes it anew.
  extension SWXDataplane {
    func isRuleTable(_ table: String) -> Bool {
      !rulePlaces.isEmpty && rulePlaces[table] != nil
    }

    /// Makes the tables of rules that changes are about follow the store: all of them, or
    /// none.
    func makeRules(for changes: [TableStore.Change]) throws(DataplaneError) {
      guard !rulePlaces.isEmpty else { return }
      var made: [Made] = []
      for table in Self.tables(of: changes).filter(isRuleTable).sorted() {
        guard let number = engine.tableIndex[table] else { continue }
        let entries = try ranked(table)
        guard let rules = make(table, number, entries) else {
          for other in made { cswx_rules_free(engine.pointer, other.number, other.rules) }
          throw DataplaneError(
            .resourceExhausted, table,
            "its \(entries.count) entries do not fit into memory, or their masks are too manifold")
        }
        made.append(
          Made(table: table, number: number, rules: rules, keys: entries.map(\.key)))
      }
      for new in made {
        cswx_rules_use(engine.pointer, new.number, new.rules)
        move(new.table, to: new.keys)
      }
    }

    /// A table that has been made and is not used yet.
    private struct Made {
      var table: String
      var number: UInt32
      var rules: UnsafeMutableRawPointer
      var keys: [[UInt64]]
    }

    private static func tables(of changes: [TableStore.Change]) -> Set<String> {
      changes.reduce(into: []) { tables, change in
        switch change {
        case .set(let entry, _), .delete(let entry): tables.insert(entry.table)
        case .setDefault, .resetDefault, .setGroup: break
        }
      }
    }

    /// The entries of a table, the one that wins first; among equals the lesser key.
    private func ranked(_ name: String) throws(DataplaneError) -> [TableEntry] {
      let entries = try store.entries(of: name)
      guard let table = contract.table(name), table.match != .exact else { return entries }
      let count = table.key.count
      func rank(_ entry: TableEntry) -> UInt64 {
        table.match == .wildcard
          ? entry.key[2 * count]
          : UInt64(entry.key[count..<2 * count].reduce(0) { $0 + $1.nonzeroBitCount })
      }
      return entries.enumerated().map { ($0.offset, rank($0.element), $0.element) }
        .sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.2)
    }

    private func make(
      _ table: String, _ number: UInt32, _ entries: [TableEntry]
    ) -> UnsafeMutableRawPointer? {
      guard let known = contract.table(table) else { return nil }
      let count = known.key.count
      let stride = entries.map(\.arguments.count).max() ?? 0
      var (keys, masks, arguments) = ([UInt64](), [UInt64](), [UInt64]())
      var actions: [UInt32] = []
      for entry in entries {
        guard let action = engine.actionIndex[entry.action] else { return nil }
        keys += entry.key[..<count]
        if known.match == .exact {
          masks += known.key.map(\.maximum)
        } else {
          masks += entry.key[count..<2 * count]
        }
        actions.append(action)
        arguments += entry.arguments
        arguments += [UInt64](repeating: 0, count: stride - entry.arguments.count)
      }
      return cswx_rules_make(
        engine.pointer, number, UInt32(entries.count), keys, masks, actions, arguments,
        UInt32(stride))
    }

    /// Entries have other indices now: what the pipeline keeps of them goes along.
    private func move(_ table: String, to keys: [[UInt64]]) {
      let old = rulePlaces[table] ?? [:]
      var new: [[UInt64]: Int] = [:]
      for (i, key) in keys.enumerated() { new[key] = i + 1 }
      if let arrays = entryArrays[table] {
        let kept = old.mapValues { entryValues(arrays, $0) }
        for (key, index) in new { setEntryValues(kept[key], arrays, index) }
      }
      rulePlaces[table] = new
    }
  }
#endif
