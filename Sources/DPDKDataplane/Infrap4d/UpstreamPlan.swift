import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// What is to be sent, and how it must read back.
struct WritePlan {
  var messages: [P4_V1_Update] = []
  /// What is read back, from a server that may say OK to what it does not do.
  var touched: [P4_V1_Entity] = []
  /// Those of them that are there then.
  var expected = RemoteState()
}

/// How upstream's `infrap4d` is brought to do what it is told.
///
/// It answers OK to a MODIFY of a row or member and changes nothing, and a MODIFY of a
/// group only adds. So what changes is deleted and inserted: a row at once, so that it is
/// away for as short as can be; a member or group together with whatever refers to it, rows
/// before groups before members. The order of the messages is the order in which they take
/// effect; they need no atomicity, which that server has not.
struct UpstreamPlan {
  private(set) var plan = WritePlan()
  private let present: RemoteState
  private let next: RemoteState
  private let encoder: UpdateEncoder

  /// - Parameters:
  ///   - present: what the server has now.
  ///   - ports: how many it has. A frame to another crashes it.
  /// - Throws: ``DataplaneError/Code/outOfRange`` for what would crash it, and
  ///   ``DataplaneError/Code/unimplemented`` for what it cannot do.
  init(
    _ updates: [Update], present: RemoteState, ports: Int, encoder: UpdateEncoder
  ) throws(DataplaneError) {
    var next = present
    next.apply(updates)
    (self.present, self.next, self.encoder) = (present, next, encoder)
    var rows: [RemoteState.Key] = []
    var groups: Set<RemoteState.Group> = []
    var members: Set<RemoteState.Key> = []
    for update in updates {
      switch update {
      case .insert(let entry), .modify(let entry):
        if let port = encoder.ports(of: entry).first(where: { $0 >= ports }) {
          throw DataplaneError(
            .outOfRange, entry.table,
            "port \(port) is not among the \(ports) of upstream's server, and frames to it would "
              + "crash it; make the ports before the pipeline is pushed")
        }
        let key = RemoteState.Key(table: entry.table, key: entry.key)
        if encoder.members.contains(entry.table) { members.insert(key) } else { rows.append(key) }
      case .delete(let table, let key):
        let key = RemoteState.Key(table: table, key: key)
        if encoder.members.contains(table) { members.insert(key) } else { rows.append(key) }
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
    let dependents = close(&groups, members)
    try replace(groups, members, dependents)
    var isDone = dependents
    for key in rows where isDone.insert(key).inserted {
      try remove(key)
      try insert(key)
    }
  }

  /// Adds the groups of members that are taken away for a while.
  ///
  /// - Returns: the rows of all groups that are.
  private func close(
    _ groups: inout Set<RemoteState.Group>, _ members: Set<RemoteState.Key>
  ) -> Set<RemoteState.Key> {
    guard !groups.isEmpty || !members.isEmpty else { return [] }
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
    return Set(
      present.rows.lazy.filter { encoder.group(of: $0.value).map(gone.contains) ?? false }.map(
        \.key))
  }

  /// Away with the old, from the outside in; and the new, from the inside out.
  private mutating func replace(
    _ groups: Set<RemoteState.Group>, _ members: Set<RemoteState.Key>,
    _ rows: Set<RemoteState.Key>
  ) throws(DataplaneError) {
    let sortedRows = rows.sorted(by: Self.precedes)
    let sortedMembers = members.sorted(by: Self.precedes)
    let sortedGroups = groups.sorted { ($0.selector, $0.id) < ($1.selector, $1.id) }
    for key in sortedRows { try remove(key) }
    for group in sortedGroups where present.groups[group] != nil {
      let entity = try encoder.entity(group.selector, group.id, [])
      plan.messages.append(.with { ($0.type, $0.entity) = (.delete, entity) })
    }
    for key in sortedMembers { try remove(key) }
    for key in sortedMembers { try insert(key) }
    for group in sortedGroups {
      guard let list = next.groups[group] else { continue }
      let entity = try encoder.entity(group.selector, group.id, list)
      plan.messages.append(.with { ($0.type, $0.entity) = (.insert, entity) })
      plan.touched.append(try encoder.entity(group.selector, group.id, []))
      // Every weight reads 1 there.
      plan.expected.groups[group] = list.map { GroupMember(id: $0.id) }
    }
    for key in sortedRows { try insert(key) }
  }

  private mutating func remove(_ key: RemoteState.Key) throws(DataplaneError) {
    guard present.rows[key] != nil else { return }
    plan.messages.append(try encoder.message(.delete(table: key.table, key: key.key), isNew: false))
  }

  private mutating func insert(_ key: RemoteState.Key) throws(DataplaneError) {
    plan.touched.append(try encoder.entity(TableEntry(table: key.table, key: key.key, action: "")))
    guard let entry = next.rows[key] else { return }
    plan.messages.append(try encoder.message(.insert(entry), isNew: true))
    plan.expected.rows[key] = entry
  }

  private static func precedes(_ a: RemoteState.Key, _ b: RemoteState.Key) -> Bool {
    if a.table != b.table { return a.table < b.table }
    return a.key.lexicographicallyPrecedes(b.key)
  }
}
