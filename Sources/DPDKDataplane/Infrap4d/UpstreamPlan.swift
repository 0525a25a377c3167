import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// How upstream's `infrap4d` is brought to do what it is told.
///
/// It answers OK to a MODIFY of a row or member and changes nothing, and a MODIFY of a
/// group only adds. So what changes is deleted and inserted, and before it whatever refers
/// to it: rows before groups before members. The order of the messages is the order in
/// which they take effect; they need no atomicity, which that server has not.
struct UpstreamPlan {
  private(set) var messages: [P4_V1_Update] = []
  /// What must read back, for each entity that was touched.
  private(set) var expectations: [(query: P4_V1_Entity, state: RemoteState)] = []

  /// - Parameter present: what the server has now.
  /// - Throws: ``DataplaneError/Code/outOfRange`` for a group that would crash it.
  init(
    _ updates: [Update], present: RemoteState, encoder: UpdateEncoder
  ) throws(DataplaneError) {
    var next = present
    next.apply(updates)
    var rows: Set<RemoteState.Key> = []
    var groups: Set<RemoteState.Group> = []
    var members: Set<RemoteState.Key> = []
    for update in updates {
      switch update {
      case .insert(let entry), .modify(let entry):
        let key = RemoteState.Key(table: entry.table, key: entry.key)
        if encoder.members.contains(entry.table) { members.insert(key) } else { rows.insert(key) }
      case .delete(let table, let key):
        let key = RemoteState.Key(table: table, key: key)
        if encoder.members.contains(table) { members.insert(key) } else { rows.insert(key) }
      case .setGroup(let selector, let id, let list):
        guard list.count <= ServerKind.upstream.maximumGroup else {
          throw DataplaneError(
            .outOfRange, "\(selector) \(id)",
            "\(list.count) members; upstream's server takes \(ServerKind.upstream.maximumGroup)")
        }
        groups.insert(RemoteState.Group(selector: selector, id: id))
      case .setDefault(let table, _, _), .resetDefault(let table):
        throw DataplaneError(
          .unimplemented, table, "upstream's server does not change what a miss runs")
      }
    }
    Self.close(&rows, &groups, members, present, next, encoder)

    // Away with the old, from the outside in.
    func remove(_ keys: Set<RemoteState.Key>) throws(DataplaneError) {
      for key in keys.sorted(by: Self.precedes) where present.rows[key] != nil {
        messages.append(try encoder.message(.delete(table: key.table, key: key.key), isNew: false))
      }
    }
    try remove(rows)
    let sortedGroups = groups.sorted { ($0.selector, $0.id) < ($1.selector, $1.id) }
    for group in sortedGroups where present.groups[group] != nil {
      let entity = try encoder.entity(group.selector, group.id, [])
      messages.append(.with { ($0.type, $0.entity) = (.delete, entity) })
    }
    try remove(members)
    // And the new, from the inside out.
    func insert(_ keys: Set<RemoteState.Key>) throws(DataplaneError) {
      for key in keys.sorted(by: Self.precedes) {
        let named = try encoder.entity(TableEntry(table: key.table, key: key.key, action: ""))
        guard let entry = next.rows[key] else {
          expectations.append((named, RemoteState()))
          continue
        }
        messages.append(try encoder.message(.insert(entry), isNew: true))
        expectations.append((named, RemoteState(rows: [key: entry])))
      }
    }
    try insert(members)
    for group in sortedGroups {
      guard let list = next.groups[group] else { continue }
      let entity = try encoder.entity(group.selector, group.id, list)
      messages.append(.with { ($0.type, $0.entity) = (.insert, entity) })
      // Every weight reads 1 there.
      let expected = list.map { GroupMember(id: $0.id) }
      expectations.append(
        (
          try encoder.entity(group.selector, group.id, []), RemoteState(groups: [group: expected])
        ))
    }
    try insert(rows)
  }

  /// Adds what refers to something that is taken away for a while.
  private static func close(
    _ rows: inout Set<RemoteState.Key>, _ groups: inout Set<RemoteState.Group>,
    _ members: Set<RemoteState.Key>, _ present: RemoteState, _ next: RemoteState,
    _ encoder: UpdateEncoder
  ) {
    let replaced = members.filter { present.rows[$0] != nil }
    for (group, list) in present.groups {
      guard let table = encoder.profile(ofSelector: group.selector)?.memberTable else { continue }
      if list.contains(where: {
        replaced.contains(RemoteState.Key(table: table, key: [UInt64($0.id)]))
      }) {
        groups.insert(group)
      }
    }
    let gone = groups.filter { present.groups[$0] != nil }
    for (key, row) in present.rows where row.action.hasSuffix("_set_group_id") {
      guard let table = encoder.table(row.table), let id = row.arguments.first,
        let selector = table.profile.flatMap({ encoder.program.profiles[$0]?.selector })
      else { continue }
      if gone.contains(RemoteState.Group(selector: selector.name, id: UInt32(clamping: id))) {
        rows.insert(key)
      }
    }
  }

  private static func precedes(_ a: RemoteState.Key, _ b: RemoteState.Key) -> Bool {
    if a.table != b.table { return a.table < b.table }
    return a.key.lexicographicallyPrecedes(b.key)
  }
}
