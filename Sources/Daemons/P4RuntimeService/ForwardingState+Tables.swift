import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

extension ForwardingState {
  mutating func perform(
    _ type: P4_V1_Update.TypeEnum, _ entry: P4_V1_TableEntry
  ) throws(P4Error) -> Change {
    let table = try table(entry.tableID)
    guard !entry.isConst else {
      throw P4Error(.invalidArgument, "is_const is for reads; leave it false")
    }
    if entry.isDefaultAction { return try setDefault(type, entry, table) }
    guard table.filling == .controller else {
      throw P4Error(
        .permissionDenied, "the pipeline itself fills \(table.name); it can only be read")
    }
    guard !table.key.isEmpty else {
      throw P4Error(.invalidArgument, "\(table.name) has no key, so it takes no entries")
    }
    let key = try program.key(of: entry, in: table)
    let old = tables[table.id]?[key]
    switch type {
    case .insert:
      guard old == nil else {
        throw P4Error(.alreadyExists, "\(table.name) has an entry with this key; MODIFY it")
      }
      // The engine would refuse the whole batch, and not name this update.
      let count = tables[table.id]?.count ?? 0
      guard count < table.size else {
        throw P4Error(
          .resourceExhausted,
          "\(table.name) is full with \(count) entries, all that the pipeline has room for; "
            + "remove some first")
      }
    default:
      guard old != nil else {
        throw P4Error(.notFound, "\(table.name) has no entry with this key")
      }
    }
    var change = Change()
    if type == .modify, !entry.hasAction, var row = old {
      // The action stays (P4Runtime 1.4, 9.1.2), and what is not set does, too.
      try refuseIdleTimeout(entry, table)
      if entry.idleTimeoutNs != 0 { row.idleTimeout = entry.idleTimeoutNs }
      if !entry.metadata.isEmpty { row.metadata = entry.metadata }
      if entry.controllerMetadata != 0 { row.controllerMetadata = entry.controllerMetadata }
      try setResources(type, entry, table, key, &row, &change)
      change.steps.append(.row(table: table.id, key: key, old: old))
      tables[table.id]?[key] = row
      return change
    }
    var new: Row?
    if type != .delete {
      var row = try row(entry, table)
      try refuseMixing(row.action, table)
      try setResources(type, entry, table, key, &row, &change)
      new = row
    }
    do throws(P4Error) {
      try point(table, key, from: old, to: new, &change)
    } catch {
      undo(change)
      throw error
    }
    change.steps.append(.row(table: table.id, key: key, old: old))
    tables[table.id]?[key] = new
    return change
  }

  /// The entry's content, checked.
  private func row(
    _ entry: P4_V1_TableEntry, _ table: P4Program.Table
  ) throws(P4Error) -> Row {
    try refuseIdleTimeout(entry, table)
    guard entry.hasAction, let action = entry.action.type else {
      throw P4Error(.invalidArgument, "the entry of \(table.name) has no action")
    }
    return Row(
      action: try rowAction(action, table), metadata: entry.metadata,
      controllerMetadata: entry.controllerMetadata, idleTimeout: entry.idleTimeoutNs)
  }

  private func rowAction(
    _ action: P4_V1_TableAction.OneOf_Type, _ table: P4Program.Table
  ) throws(P4Error) -> RowAction {
    let profile = table.profile.flatMap { program.profiles[$0] }
    switch (action, profile) {
    case (.action(let message), nil):
      return .call(try program.call(message, allowed: table.actions, of: table.name))
    case (.actionProfileMemberID(let id), let profile?):
      guard profiles[profile.id]?.members[id] != nil else {
        throw P4Error(.notFound, "\(profile.name) has no member \(id)")
      }
      return .member(id)
    case (.actionProfileGroupID(let id), let profile?) where profile.hasSelector:
      guard profiles[profile.id]?.groups[id] != nil else {
        throw P4Error(.notFound, "\(profile.name) has no group \(id)")
      }
      return .group(id)
    case (.actionProfileActionSet(let set), let profile?) where profile.hasSelector:
      return .oneShot(try oneShot(set, profile))
    case (_, nil):
      throw P4Error(.invalidArgument, "\(table.name) has no action profile: give it an action")
    case (_, let profile?):
      throw P4Error(
        .invalidArgument,
        profile.hasSelector
          ? "\(table.name) is implemented by \(profile.name): give it a member, group or set"
          : "\(table.name) is implemented by \(profile.name): give it a member")
    }
  }

  /// Whether an entry may say what it says of idle timeouts, in a Write.
  private func refuseIdleTimeout(
    _ entry: P4_V1_TableEntry, _ table: P4Program.Table
  ) throws(P4Error) {
    guard !entry.hasTimeSinceLastHit else {
      throw P4Error(.invalidArgument, "time_since_last_hit is for reads; leave it unset")
    }
    guard entry.idleTimeoutNs != 0 else { return }
    try refuseIdleTimeouts(of: table, isDefault: entry.isDefaultAction)
    guard entry.idleTimeoutNs > 0 else {
      throw P4Error(.invalidArgument, "\(table.name): idle_timeout_ns is negative")
    }
  }

  /// - Throws: ``P4Error/Code/invalidArgument`` where P4Info has none, and for default
  ///   entries, which never have one (P4Runtime 1.4, 9.1, "Idle-timeout").
  func refuseIdleTimeouts(of table: P4Program.Table, isDefault: Bool) throws(P4Error) {
    guard table.notifiesIdleTimeout, !isDefault else {
      throw P4Error(.invalidArgument, "\(table.name) has no idle timeout")
    }
    guard table.tracksHits else {
      throw P4Error(
        .unimplemented, "\(table.name): idle timeouts are those of controllers' entries")
    }
  }

  private mutating func setDefault(
    _ type: P4_V1_Update.TypeEnum, _ entry: P4_V1_TableEntry, _ table: P4Program.Table
  ) throws(P4Error) -> Change {
    guard type == .modify else {
      throw P4Error(.invalidArgument, "the default entry is always there; it can be modified only")
    }
    guard entry.match.isEmpty, entry.priority == 0 else {
      throw P4Error(.invalidArgument, "the default entry has neither match nor priority")
    }
    try refuseIdleTimeout(entry, table)
    guard table.constantDefaultAction == nil, table.profile == nil, table.filling != .pipeline
    else { throw P4Error(.permissionDenied, "the default entry of \(table.name) is constant") }
    var change = Change()
    let old = defaults[table.id]
    change.steps.append(.defaultRow(table: table.id, old: old))
    guard entry.hasAction else {
      try resetDefaultResources(entry, table, &change)
      change.engine.append(.resetDefault(table: table.engineTable))
      defaults[table.id] = nil
      return change
    }
    guard case .action(let message)? = entry.action.type else {
      throw P4Error(.invalidArgument, "the default entry of \(table.name) takes an action")
    }
    let call = try program.call(
      message, allowed: table.actions, of: table.name, isDefault: true)
    let engine = program.engineEntry(table, MatchKey(values: []), call)
    if call == program.originalDefault(of: table) {
      change.engine.append(.resetDefault(table: table.engineTable))
    } else if engine.action.isEmpty {
      // The engine's contract lists actions of entries only.
      throw P4Error(
        .unimplemented, "\(table.name): an action for misses only can be the original one only")
    } else {
      change.engine.append(
        .setDefault(table: engine.table, action: engine.action, arguments: engine.arguments))
    }
    try setDefaultResources(entry, table, engine.action, &change)
    defaults[table.id] = Row(
      action: .call(call), metadata: entry.metadata, controllerMetadata: entry.controllerMetadata)
    return change
  }

  /// Makes the engine's row, and what hangs on it, follow a change of the entry.
  private mutating func point(
    _ table: P4Program.Table, _ key: MatchKey, from old: Row?, to new: Row?,
    _ change: inout Change
  ) throws(P4Error) {
    let engineKey = program.engineKey(key, in: table)
    if let profile = table.profile {
      let row = ProfileState.RowID(table: table.id, key: key)
      if new == nil {
        change.engine.append(.delete(table: table.engineTable, key: engineKey))
      }
      // Before the new one, so that a set that is replaced makes room for it.
      if let old { release(old.action, profile, row, &change) }
      if let new {
        let target = try acquire(new.action, profile, table, key, &change)
        let entry = TableEntry(
          table: table.engineTable, key: engineKey, action: target.action,
          arguments: [UInt64(target.id)])
        change.engine.append(old == nil ? .insert(entry) : .modify(entry))
      }
      return
    }
    guard case .call(let call)? = new?.action else {
      change.engine.append(.delete(table: table.engineTable, key: engineKey))
      return
    }
    let entry = program.engineEntry(table, key, call)
    change.engine.append(old == nil ? .insert(entry) : .modify(entry))
  }
}
