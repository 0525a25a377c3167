import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// From what a server reads back to the engine's names: the other way of
/// ``UpdateEncoder``. Values may be padded, as upstream's are.
struct EntityDecoder: Sendable {
  let program: P4Program

  /// Adds an entity to a state. Rows of learners are left out, and defaults that are the
  /// program's own. An entry of one-shot actions is a row without an action, which is
  /// like no other.
  ///
  /// - Throws: ``P4Error`` for an entity that P4Info does not allow.
  func add(_ entity: P4_V1_Entity, to state: inout RemoteState) throws(P4Error) {
    switch entity.entity {
    case .tableEntry(let entry):
      guard let table = program.tables[entry.tableID], table.filling == .controller else { return }
      if entry.isDefaultAction {
        guard entry.hasAction else { return }
        let call = try program.call(
          entry.action.action, allowed: table.actions, of: table.name, isDefault: true)
        if call != program.originalDefault(of: table) {
          state.defaults[table.engineTable] = program.engineEntry(
            table, MatchKey(values: []), call)
        }
        return
      }
      let key = program.engineKey(try program.key(of: entry, in: table), in: table)
      state.rows[RemoteState.Key(table: table.engineTable, key: key)] = try row(entry, table, key)
    case .actionProfileMember(let member):
      guard let profile = program.profiles[member.actionProfileID] else { return }
      let call = try program.call(member.action, allowed: profile.actions, of: profile.name)
      let row = program.engineMember(profile, member.memberID, call)
      state.rows[RemoteState.Key(table: row.table, key: row.key)] = row
    case .actionProfileGroup(let group):
      guard let selector = program.profiles[group.actionProfileID]?.selector else { return }
      state.groups[RemoteState.Group(selector: selector.name, id: group.groupID)] =
        group.members.map {
          GroupMember(id: $0.memberID, weight: UInt32(clamping: max(1, $0.weight)))
        }
    default: break
    }
  }

  /// An entry that the pipeline learned, or nil for any other entity.
  ///
  /// - Throws: ``P4Error`` for an entity that P4Info does not allow.
  func learned(_ entity: P4_V1_Entity) throws(P4Error) -> TableEntry? {
    guard case .tableEntry(let entry) = entity.entity, !entry.isDefaultAction,
      let table = program.tables[entry.tableID], table.filling == .pipeline
    else { return nil }
    return try row(entry, table, program.engineKey(program.key(of: entry, in: table), in: table))
  }

  private func row(
    _ entry: P4_V1_TableEntry, _ table: P4Program.Table, _ key: [UInt64]
  ) throws(P4Error) -> TableEntry {
    func set(_ suffix: String, _ id: UInt32) -> TableEntry {
      TableEntry(
        table: table.engineTable, key: key, action: table.engineTable + suffix,
        arguments: [UInt64(id)])
    }
    switch entry.action.type {
    case .action(let action):
      let call = try program.call(action, allowed: table.actions, of: table.name)
      return program.engineEntry(table, program.matchKey(key, in: table), call)
    case .actionProfileMemberID(let id): return set("_set_member_id", id)
    case .actionProfileGroupID(let id): return set("_set_group_id", id)
    default: return TableEntry(table: table.engineTable, key: key, action: "", arguments: [])
    }
  }
}
