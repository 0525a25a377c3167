import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// From the engine's names to P4Runtime's: rows, the tables of members and the selectors
/// that `p4c-dpdk` makes of an action profile are entries, members and groups there.
struct UpdateEncoder: Sendable {
  let program: P4Program
  private var tables: [String: P4Program.Table] = [:]
  private var memberTables: [String: P4Program.Profile] = [:]
  private var selectors: [String: P4Program.Profile] = [:]
  /// Of the exact tables whose entries have actions of their own.
  private(set) var shapes: [String: RowShape] = [:]

  init(_ program: P4Program) {
    self.program = program
    for table in program.tables.values {
      tables[table.engineTable] = table
      if table.isExact, table.profile == nil {
        shapes[table.engineTable] = RowShape(
          table: table.id, key: table.key.map(\.id), actions: shapes(of: table.actions))
      }
    }
    for profile in program.profiles.values {
      memberTables[profile.memberTable] = profile
      if let selector = profile.selector { selectors[selector.name] = profile }
    }
  }

  private func shapes(of actions: [UInt32: P4Program.ActionReference]) -> [RowShape.Action] {
    actions.values.compactMap { reference in
      guard let name = reference.engineAction, let action = program.actions[reference.id] else {
        return nil
      }
      return RowShape.Action(
        name: name, id: action.id, parameters: action.parameters.map { ($0.id, $0.index) })
    }
  }

  /// The tables whose rows are members.
  var members: Set<String> { Set(memberTables.keys) }

  func table(_ name: String) -> P4Program.Table? { tables[name] }
  func profile(ofMembers table: String) -> P4Program.Profile? { memberTables[table] }
  func profile(ofSelector name: String) -> P4Program.Profile? { selectors[name] }

  /// The most rows or members that upstream's server lists of a table.
  func listLimit(_ name: String) -> Int {
    guard let table = tables[name] else { return memberTables[name]?.size ?? 0 }
    return program.info.tables.first { $0.preamble.id == table.id }.map { Int($0.size) } ?? 0
  }

  /// The group that a row chooses from, or nil.
  func group(of row: TableEntry) -> RemoteState.Group? {
    guard row.action.hasSuffix("_set_group_id"), let id = row.arguments.first,
      let selector = tables[row.table]?.profile.flatMap({ program.profiles[$0]?.selector })
    else { return nil }
    return RemoteState.Group(selector: selector.name, id: UInt32(clamping: id))
  }

  /// The ports that a row or member names.
  func ports(of row: TableEntry) -> [UInt64] {
    let allowed = memberTables[row.table]?.actions ?? tables[row.table]?.actions ?? [:]
    guard let reference = allowed.values.first(where: { $0.engineAction == row.action }),
      let action = program.actions[reference.id]
    else { return [] }
    return action.parameters.filter { $0.isPort && row.arguments.indices.contains($0.index) }
      .map { row.arguments[$0.index] }
  }

  /// - Parameter isNew: for groups: INSERT rather than MODIFY.
  func message(_ update: Update, isNew: Bool) throws(DataplaneError) -> P4_V1_Update {
    switch update {
    case .insert(let entry): return make(.insert, try entity(entry))
    case .modify(let entry): return make(.modify, try entity(entry))
    case .delete(let table, let key):
      return make(.delete, try entity(TableEntry(table: table, key: key, action: "")))
    case .setGroup(let selector, let group, let members):
      return make(isNew ? .insert : .modify, try entity(selector, group, members))
    case .setDefault(let table, let action, let arguments):
      let row = TableEntry(table: table, key: [], action: action, arguments: arguments)
      return make(.modify, try defaultEntity(table, row))
    case .resetDefault(let table): return make(.modify, try defaultEntity(table, nil))
    }
  }

  private func make(_ type: P4_V1_Update.TypeEnum, _ entity: P4_V1_Entity) -> P4_V1_Update {
    .with {
      $0.type = type
      $0.entity = entity
    }
  }

  /// The entity of a row; without an action it names the row.
  func entity(_ entry: TableEntry) throws(DataplaneError) -> P4_V1_Entity {
    if let profile = memberTables[entry.table] {
      guard entry.key.count == 1, let id = UInt32(exactly: entry.key[0]) else {
        throw DataplaneError(.invalidArgument, entry.table, "a member has one key of 32 bits")
      }
      let action = try entry.action.isEmpty ? nil : self.action(entry, profile.actions)
      return .with {
        $0.actionProfileMember = .with {
          $0.actionProfileID = profile.id
          $0.memberID = id
          if let action { $0.action = action }
        }
      }
    }
    guard let table = tables[entry.table] else {
      throw DataplaneError(.notFound, entry.table, "no such table in P4Info")
    }
    let action = try entry.action.isEmpty ? nil : tableAction(entry, table)
    return .with {
      $0.tableEntry = .with {
        $0.tableID = table.id
        let key = program.matchKey(entry.key, in: table)
        $0.match = program.match(key, in: table)
        $0.priority = key.priority
        if let action { $0.action = action }
      }
    }
  }

  private func tableAction(
    _ entry: TableEntry, _ table: P4Program.Table
  ) throws(DataplaneError) -> P4_V1_TableAction {
    // Tables with an action profile have the compiler's own actions, by their names.
    if table.profile != nil {
      guard let id = entry.arguments.first.flatMap({ UInt32(exactly: $0) }) else {
        throw DataplaneError(.invalidArgument, entry.table, "\(entry.action) needs an id")
      }
      return .with {
        if entry.action.hasSuffix("_set_group_id") {
          $0.actionProfileGroupID = id
        } else {
          $0.actionProfileMemberID = id
        }
      }
    }
    let action = try self.action(entry, table.actions)
    return .with { $0.action = action }
  }

  private func action(
    _ entry: TableEntry, _ allowed: [UInt32: P4Program.ActionReference]
  ) throws(DataplaneError) -> P4_V1_Action {
    guard let reference = allowed.values.first(where: { $0.engineAction == entry.action }),
      let action = program.actions[reference.id],
      action.parameters.allSatisfy({ entry.arguments.indices.contains($0.index) })
    else {
      throw DataplaneError(
        .invalidArgument, entry.table, "action \(entry.action) is not one of it in P4Info")
    }
    return program.message(
      ActionCall(id: action.id, values: action.parameters.map { entry.arguments[$0.index] }))
  }

  func entity(
    _ selector: String, _ group: UInt32, _ members: [GroupMember]
  ) throws(DataplaneError) -> P4_V1_Entity {
    guard let profile = selectors[selector] else {
      throw DataplaneError(.notFound, selector, "no such selector in P4Info")
    }
    return .with {
      $0.actionProfileGroup = .with {
        $0.actionProfileID = profile.id
        $0.groupID = group
        $0.maxSize = Int32(profile.maximumGroupSize)
        $0.members = members.map { member in
          .with {
            $0.memberID = member.id
            $0.weight = Int32(clamping: member.weight)
          }
        }
      }
    }
  }

  private func defaultEntity(
    _ name: String, _ row: TableEntry?
  ) throws(DataplaneError) -> P4_V1_Entity {
    guard let table = tables[name] else {
      throw DataplaneError(.notFound, name, "no such table in P4Info")
    }
    let action = try row.map { row throws(DataplaneError) in try self.action(row, table.actions) }
    return .with {
      $0.tableEntry = .with {
        $0.tableID = table.id
        $0.isDefaultAction = true
        if let action { $0.action = .with { $0.action = action } }
      }
    }
  }
}
