/// The entries of every table as the control plane knows them, and the one
/// place where updates are validated, for every dataplane.
///
/// A dataplane keeps one, lets it ``commit(_:check:)`` a batch, and brings the
/// changes that it returns into its engine, which cannot fail any more.
public struct TableStore: Sendable {
  /// The fields of a key in 128 bits, the first field lowest; behind them the masks and the
  /// priority where the match is not exact.
  private struct PackedKey: Hashable, Sendable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var masks: [UInt64] = []
  }

  private struct Row: Sendable {
    var action: UInt8
    var arguments: [UInt64]
  }

  private struct Shelf: Sendable {
    let table: Contract.Table
    let actions: [Contract.Action]
    var rows: [PackedKey: Row] = [:]

    func entry(_ key: [UInt64], _ row: Row) -> TableEntry {
      TableEntry(
        table: table.name, key: key, action: actions[Int(row.action)].name,
        arguments: row.arguments)
    }
  }

  /// A change that has been found good.
  public enum Change: Sendable {
    /// - Parameter old: what was there; nil for a new entry.
    case set(TableEntry, old: TableEntry?)
    case delete(TableEntry)
    case setDefault(table: String, action: String, arguments: [UInt64])
    case resetDefault(table: String)
    case setGroup(selector: String, group: UInt32, members: [GroupMember])
  }

  public let contract: Contract
  private var shelves: [String: Shelf] = [:]

  public init(contract: Contract) {
    self.contract = contract
    for table in contract.tables {
      shelves[table.name] = Shelf(
        table: table, actions: table.actions.compactMap { contract.actions[$0] })
    }
  }

  /// Validates all updates in order and applies them, or throws and changes
  /// nothing. Both fields and capacity are checked at every step.
  ///
  /// - Parameters:
  ///   - check: a dataplane's own objections to an entry, such as a port that
  ///     does not exist.
  /// - Returns: the changes, in order.
  public mutating func commit(
    _ updates: [Update], check: (TableEntry) -> DataplaneError? = { _ in nil }
  ) throws(DataplaneError) -> [Change] {
    var changes: [Change] = []
    changes.reserveCapacity(updates.count)
    // What to put back, newest last.
    var undo: [(table: String, key: PackedKey, row: Row?)] = []
    undo.reserveCapacity(updates.count)
    do {
      for update in updates {
        switch update {
        case .insert(let entry):
          _ = try set(entry, isNew: true, check, &undo)
          changes.append(.set(entry, old: nil))
        case .modify(let entry):
          let old = try set(entry, isNew: false, check, &undo)
          changes.append(.set(entry, old: old))
        case .delete(let table, let key):
          changes.append(.delete(try remove(table, key, &undo)))
        case .setDefault(let table, let action, let arguments):
          try validateDefault(table, action, arguments, check)
          changes.append(.setDefault(table: table, action: action, arguments: arguments))
        case .resetDefault(let table):
          try refuseConstantDefault(shelf(table).table)
          changes.append(.resetDefault(table: table))
        case .setGroup(let selector, let group, let members):
          try validateGroup(selector, group, members)
          changes.append(.setGroup(selector: selector, group: group, members: members))
        }
      }
    } catch {
      for step in undo.reversed() { shelves[step.table]?.rows[step.key] = step.row }
      throw error
    }
    return changes
  }

  /// Takes back changes that were committed last.
  public mutating func takeBack(_ changes: [Change]) {
    for change in changes.reversed() {
      switch change {
      case .set(let entry, let old): put(old, in: entry.table, entry.key)
      case .delete(let entry): put(entry, in: entry.table, entry.key)
      case .setDefault, .resetDefault, .setGroup: break
      }
    }
  }

  /// Puts back what was there.
  private mutating func put(_ entry: TableEntry?, in table: String, _ fields: [UInt64]) {
    guard let shelf = shelves[table], let key = try? pack(fields, shelf.table) else { return }
    shelves[table]?.rows[key] = entry.flatMap { entry in
      shelf.actions.firstIndex { $0.name == entry.action }.map {
        Row(action: UInt8($0), arguments: entry.arguments)
      }
    }
  }

  /// The entries of a table, by ascending key.
  public func entries(of name: String) throws(DataplaneError) -> [TableEntry] {
    let shelf = try shelf(name)
    return shelf.rows.map { key, row in
      shelf.entry(unpack(key, shelf.table.key), row)
    }
    .sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// How many entries a table has.
  public func count(of name: String) -> Int { shelves[name]?.rows.count ?? 0 }

  private func shelf(_ name: String) throws(DataplaneError) -> Shelf {
    guard let shelf = shelves[name] else {
      let known = contract.tables.map(\.name).joined(separator: ", ")
      throw DataplaneError(.notFound, name, "no such table; the pipeline has \(known)")
    }
    return shelf
  }

  /// - Returns: what was there.
  private mutating func set(
    _ entry: TableEntry, isNew: Bool, _ check: (TableEntry) -> DataplaneError?,
    _ undo: inout [(table: String, key: PackedKey, row: Row?)]
  ) throws(DataplaneError) -> TableEntry? {
    guard let index = shelves.index(forKey: entry.table) else {
      _ = try shelf(entry.table)
      return nil
    }
    let table = shelves.values[index].table
    guard !table.key.isEmpty else {
      throw DataplaneError(.invalidArgument, entry.table, "has no key, so it takes no entries")
    }
    let key = try pack(entry.key, table)
    let action = try validate(entry, shelves.values[index])
    if let error = check(entry) { throw error }

    let present = shelves.values[index].rows[key]
    if isNew {
      guard present == nil else {
        throw DataplaneError(
          .alreadyExists, name(entry.table, entry.key), "is there already; modify it instead")
      }
      guard shelves.values[index].rows.count < table.size else {
        throw DataplaneError(
          .resourceExhausted, entry.table,
          "is full with \(table.size) entries, all that the pipeline has room for; remove some first"
        )
      }
    } else if present == nil {
      throw DataplaneError(
        .notFound, name(entry.table, entry.key), "is not there; insert it instead")
    }
    undo.append((entry.table, key, present))
    shelves.values[index].rows[key] = Row(action: UInt8(action), arguments: entry.arguments)
    return present.map { shelves.values[index].entry(entry.key, $0) }
  }

  /// - Returns: the index of the action among those of the table.
  private func validate(_ entry: TableEntry, _ shelf: Shelf) throws(DataplaneError) -> Int {
    guard let action = shelf.actions.firstIndex(where: { $0.name == entry.action }) else {
      throw DataplaneError(
        .invalidArgument, name(entry.table, entry.key),
        "action \(entry.action) is not one of \(shelf.table.actions.joined(separator: ", "))")
    }
    let arguments = shelf.actions[action].arguments
    guard arguments.count == entry.arguments.count else {
      throw DataplaneError(
        .invalidArgument, name(entry.table, entry.key),
        "\(entry.action) takes \(arguments.count) arguments, not \(entry.arguments.count)")
    }
    for (field, value) in zip(arguments, entry.arguments) where value > field.maximum {
      throw DataplaneError(
        .outOfRange, name(entry.table, entry.key),
        "\(entry.action).\(field.name) = \(value) does not fit into \(field.bits) bits")
    }
    return action
  }

  private func validateDefault(
    _ table: String, _ action: String, _ arguments: [UInt64],
    _ check: (TableEntry) -> DataplaneError?
  ) throws(DataplaneError) {
    let shelf = try shelf(table)
    try refuseConstantDefault(shelf.table)
    let entry = TableEntry(table: table, key: [], action: action, arguments: arguments)
    _ = try validate(entry, shelf)
    if let error = check(entry) { throw error }
  }

  private func refuseConstantDefault(_ table: Contract.Table) throws(DataplaneError) {
    guard !table.hasConstantDefault else {
      throw DataplaneError(
        .invalidArgument, table.name, "what a miss runs is fixed by the pipeline")
    }
  }

  private mutating func remove(
    _ table: String, _ fields: [UInt64],
    _ undo: inout [(table: String, key: PackedKey, row: Row?)]
  ) throws(DataplaneError) -> TableEntry {
    guard let index = shelves.index(forKey: table) else {
      _ = try shelf(table)
      return TableEntry(table: table, key: fields, action: "")
    }
    let key = try pack(fields, shelves.values[index].table)
    guard let row = shelves.values[index].rows.removeValue(forKey: key) else {
      throw DataplaneError(.notFound, name(table, fields), "is not there")
    }
    undo.append((table, key, row))
    return shelves.values[index].entry(fields, row)
  }

  private func validateGroup(
    _ name: String, _ group: UInt32, _ members: [GroupMember]
  ) throws(DataplaneError) {
    guard let selector = contract.selectors.first(where: { $0.name == name }) else {
      throw DataplaneError(.notFound, name, "no such selector")
    }
    guard group < selector.maximumGroups else {
      throw DataplaneError(
        .outOfRange, "\(name)[\(group)]", "groups are 0...\(selector.maximumGroups - 1)")
    }
    guard Set(members.map(\.id)).count == members.count else {
      throw DataplaneError(.invalidArgument, "\(name)[\(group)]", "a member is listed twice")
    }
    for member in members {
      guard member.id < selector.maximumMembers, member.weight > 0 else {
        throw DataplaneError(
          .outOfRange, "\(name)[\(group)]",
          "member \(member.id): ids are 0...\(selector.maximumMembers - 1), weights at least 1")
      }
    }
    guard members.reduce(0, { $0 + UInt64($1.weight) }) <= selector.maximumMembers else {
      throw DataplaneError(
        .resourceExhausted, "\(name)[\(group)]",
        "the weights add up to more than \(selector.maximumMembers)")
    }
  }

  private func pack(
    _ fields: [UInt64], _ table: Contract.Table
  ) throws(DataplaneError) -> PackedKey {
    var key = PackedKey()
    if table.match == .exact {
      guard fields.count == table.key.count else {
        throw DataplaneError(
          .invalidArgument, table.name,
          "the key has \(table.key.count) fields, not \(fields.count)")
      }
    } else {
      key.masks = try masks(of: fields, table)
    }
    var shift = 0
    for (field, value) in zip(table.key, fields) {
      guard value <= field.maximum else {
        throw DataplaneError(
          .outOfRange, name(table.name, fields),
          "\(field.name) = \(value) does not fit into \(field.bits) bits")
      }
      if shift < 64 {
        key.low |= value << UInt64(shift)
        if shift + field.bits > 64 { key.high |= value >> UInt64(64 - shift) }
      } else {
        key.high |= value << UInt64(shift - 64)
      }
      shift += field.bits
    }
    guard shift <= 128 else {
      throw DataplaneError(.unimplemented, table.name, "keys of more than 128 bits are not taken")
    }
    return key
  }

  /// The masks and the priority of a key, checked.
  private func masks(
    of fields: [UInt64], _ table: Contract.Table
  ) throws(DataplaneError) -> [UInt64] {
    let count = table.key.count
    guard fields.count == 2 * count + 1 else {
      throw DataplaneError(
        .invalidArgument, table.name,
        "the key has \(count) values, \(count) masks and a priority, not \(fields.count) numbers")
    }
    for (i, field) in table.key.enumerated() {
      let (value, mask) = (fields[i], fields[count + i])
      guard mask <= field.maximum, value & ~mask == 0 else {
        throw DataplaneError(
          .outOfRange, name(table.name, fields),
          "\(field.name): a mask has \(field.bits) bits, and a value none outside of its mask")
      }
      // The bits behind a prefix, as a number, are one less than a power of two.
      let rest = field.maximum & ~mask
      guard table.match == .wildcard || rest & (rest &+ 1) == 0 else {
        throw DataplaneError(
          .invalidArgument, name(table.name, fields), "\(field.name): the mask is no prefix")
      }
    }
    let priority = fields[2 * count]
    guard priority <= (table.match == .lpm ? 0 : UInt64(Int32.max)) else {
      throw DataplaneError(
        .outOfRange, name(table.name, fields),
        table.match == .lpm
          ? "the longest prefix wins: the priority is 0" : "priorities are 0...\(Int32.max)")
    }
    return Array(fields[count...])
  }

  private func unpack(_ key: PackedKey, _ fields: [Contract.Field]) -> [UInt64] {
    var shift = 0
    let values = fields.map { field in
      defer { shift += field.bits }
      if shift >= 64 { return key.high >> UInt64(shift - 64) & field.maximum }
      var value = key.low >> UInt64(shift)
      if shift > 0 { value |= key.high << UInt64(64 - shift) }
      return value & field.maximum
    }
    return key.masks.isEmpty ? values : values + key.masks
  }

  private func name(_ table: String, _ key: [UInt64]) -> String {
    "\(table)[\(key.map(String.init).joined(separator: ","))]"
  }
}
