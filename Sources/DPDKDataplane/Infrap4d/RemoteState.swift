import Core

/// What is in a dataplane, by key: the state that is wanted, or the one that was read.
struct RemoteState: Hashable, Sendable {
  struct Key: Hashable, Sendable {
    var table: String
    var key: [UInt64]
  }
  struct Group: Hashable, Sendable {
    var selector: String
    var id: UInt32
  }

  var rows: [Key: TableEntry] = [:]
  var groups: [Group: [GroupMember]] = [:]
  /// Table → its action for misses, where it was set.
  var defaults: [String: TableEntry] = [:]

  /// Takes updates that have been found good.
  mutating func apply(_ updates: [Update]) {
    for update in updates {
      switch update {
      case .insert(let entry), .modify(let entry):
        rows[Key(table: entry.table, key: entry.key)] = entry
      case .delete(let table, let key): rows[Key(table: table, key: key)] = nil
      case .setDefault(let table, let action, let arguments):
        defaults[table] = TableEntry(table: table, key: [], action: action, arguments: arguments)
      case .resetDefault(let table): defaults[table] = nil
      case .setGroup(let selector, let group, let members):
        groups[Group(selector: selector, id: group)] = members
      }
    }
  }

  /// What updates are about.
  func part(_ updates: [Update]) -> RemoteState {
    var part = RemoteState()
    part.rows.reserveCapacity(updates.count)
    for update in updates {
      switch update {
      case .insert(let entry), .modify(let entry):
        let key = Key(table: entry.table, key: entry.key)
        part.rows[key] = rows[key]
      case .delete(let table, let key):
        let key = Key(table: table, key: key)
        part.rows[key] = rows[key]
      case .setDefault(let table, _, _), .resetDefault(let table):
        part.defaults[table] = defaults[table]
      case .setGroup(let selector, let id, _):
        let group = Group(selector: selector, id: id)
        part.groups[group] = groups[group]
      }
    }
    return part
  }

  /// Whether a row, group or default is named twice.
  static func isAnyTwice(_ updates: [Update]) -> Bool {
    var names: Set<Key> = []
    names.reserveCapacity(updates.count)
    return !updates.allSatisfy { update in
      switch update {
      case .insert(let entry), .modify(let entry):
        names.insert(Key(table: entry.table, key: entry.key)).inserted
      case .delete(let table, let key): names.insert(Key(table: table, key: key)).inserted
      // No row has an empty key.
      case .setDefault(let table, _, _), .resetDefault(let table):
        names.insert(Key(table: table, key: [])).inserted
      case .setGroup(let selector, let id, _):
        names.insert(Key(table: selector, key: [UInt64(id)])).inserted
      }
    }
  }

  /// In which order rows are written.
  struct Order: Sendable {
    /// Where a change has them: whoever made it knows what leads to what.
    var places: [Key: Int] = [:]
    /// Table → its place in the pipeline. A row leads to rows of later tables, so these are
    /// written before it, and removed after it.
    var tables: [String: Int] = [:]

    /// The order of a change; rows that are there twice have the last place.
    init(_ updates: [Update]) {
      for (place, update) in updates.enumerated() {
        switch update {
        case .insert(let entry), .modify(let entry):
          places[Key(table: entry.table, key: entry.key)] = place
        case .delete(let table, let key): places[Key(table: table, key: key)] = place
        case .setGroup, .setDefault, .resetDefault: break
        }
      }
    }

    /// The order of a pipeline.
    init(_ contract: Contract) {
      for (place, table) in contract.tables.enumerated() { tables[table.name] = place }
    }

    /// Rows in the order in which they are written, or removed.
    func sorted(
      _ rows: [Key: TableEntry], removing: Bool
    ) -> [(key: Key, value: TableEntry)] {
      // Those of a change among themselves, before those that are not of it.
      let placed = rows.map { row in
        (row: row, place: places[row.key] ?? .max, table: tables[row.key.table] ?? .max)
      }
      return placed.sorted { a, b in
        if a.place != b.place { return a.place < b.place }
        guard a.row.key.table == b.row.key.table else {
          if a.table == b.table { return a.row.key.table < b.row.key.table }
          return (a.table < b.table) == removing
        }
        return a.row.key.key.lexicographicallyPrecedes(b.row.key.key)
      }.map(\.row)
    }
  }

  /// The fewest updates that make this state of another, in an order in which nothing
  /// refers to what is not there: members, groups, rows; then what is too much, the
  /// other way round. An entry that changes is modified, never deleted and added.
  ///
  /// - Parameter members: tables whose rows are members of groups.
  func updates(from old: RemoteState, members: Set<String>, in order: Order) -> [Update] {
    var (first, second, removed, removedMembers) = ([Update](), [Update](), [Update](), [Update]())
    for (key, entry) in order.sorted(rows.filter { old.rows[$0.key] != $0.value }, removing: false)
    {
      let update = old.rows[key] == nil ? Update.insert(entry) : .modify(entry)
      if members.contains(key.table) { first.append(update) } else { second.append(update) }
    }
    for (key, _) in order.sorted(old.rows.filter { rows[$0.key] == nil }, removing: true) {
      let update = Update.delete(table: key.table, key: key.key)
      if members.contains(key.table) {
        removedMembers.append(update)
      } else {
        removed.append(update)
      }
    }
    let changed = groups.filter { old.groups[$0.key] != $0.value }
      .sorted { ($0.key.selector, $0.key.id) < ($1.key.selector, $1.key.id) }
      .map { Update.setGroup(selector: $0.key.selector, group: $0.key.id, members: $0.value) }
    var misses: [Update] = []
    for (table, entry) in defaults.sorted(by: { $0.key < $1.key })
    where old.defaults[table] != entry {
      misses.append(
        .setDefault(table: table, action: entry.action, arguments: entry.arguments))
    }
    for table in old.defaults.keys.sorted() where defaults[table] == nil {
      misses.append(.resetDefault(table: table))
    }
    // Members can go when no group has them. An empty group does no harm.
    let emptied = old.groups.filter { groups[$0.key] == nil && !$0.value.isEmpty }.keys
      .sorted { ($0.selector, $0.id) < ($1.selector, $1.id) }
      .map { Update.setGroup(selector: $0.selector, group: $0.id, members: []) }
    return first + changed + second + misses + removed + emptied + removedMembers
  }
}
