import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// What one ReadRequest is answered from.
struct ReadSnapshot: Sendable {
  let state: ForwardingState
  /// Learner → its live entries.
  var learned: [String: [LearnedEntry]] = [:]
  var registers: [String: [UInt64]] = [:]

  init(state: ForwardingState) { self.state = state }

  private var program: P4Program { state.program }

  static func readsLearners(_ request: P4_V1_ReadRequest, _ program: P4Program) -> Bool {
    request.entities.contains {
      guard case .tableEntry(let entry)? = $0.entity, !entry.isDefaultAction else { return false }
      return entry.tableID == 0 || program.tables[entry.tableID]?.filling == .pipeline
    }
  }

  static func registers(_ request: P4_V1_ReadRequest, _ program: P4Program) -> Set<String> {
    var names: Set<String> = []
    for entity in request.entities {
      guard case .counterEntry(let entry)? = entity.entity else { continue }
      for counter in program.counters.values
      where entry.counterID == 0 || entry.counterID == counter.id {
        names.formUnion([counter.packets, counter.bytes].compactMap { $0 })
      }
    }
    return names
  }

  /// The entities that a query selects, in a stable order, made as they are asked for.
  ///
  /// - Throws: ``P4Error`` when the query is not good.
  func answer(_ query: P4_V1_Entity) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    switch query.entity {
    case .tableEntry(let entry): return try answer(entry)
    case .actionProfileMember(let member): return try answer(member)
    case .actionProfileGroup(let group): return try answer(group)
    case .counterEntry(let entry): return try answer(entry)
    case .directCounterEntry(let entry):
      if entry.tableEntry.tableID != 0 { throw state.noDirectCounter(entry.tableEntry.tableID) }
    case .directMeterEntry(let entry):
      if entry.tableEntry.tableID != 0 { throw state.noDirectMeter(entry.tableEntry.tableID) }
    case .meterEntry(let entry):
      if entry.meterID != 0 { throw state.noMeter(entry.meterID) }
    case .registerEntry(let entry):
      if entry.registerID != 0 { throw state.noRegister(entry.registerID) }
    case .valueSetEntry(let entry):
      if entry.valueSetID != 0 { throw state.noValueSet(entry.valueSetID) }
    case .digestEntry(let entry):
      if entry.digestID != 0 { throw state.noDigest(entry.digestID) }
    case .externEntry, .packetReplicationEngineEntry: break
    case nil: throw P4Error(.invalidArgument, "the query has no entity")
    }
    return AnySequence([])
  }

  private func answer(
    _ query: P4_V1_ActionProfileMember
  ) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    let all = try profiles(query.actionProfileID).map { profile in
      let members = state.profiles[profile.id]?.members ?? [:]
      let ids = query.memberID == 0 ? members.keys.sorted() : [query.memberID]
      return ids.lazy.compactMap { id in
        members[id].map { member in
          P4_V1_Entity.with {
            $0.actionProfileMember = .with {
              $0.actionProfileID = profile.id
              $0.memberID = id
              $0.action = program.message(member.call)
            }
          }
        }
      }
    }
    return AnySequence(all.lazy.joined())
  }

  private func answer(
    _ query: P4_V1_ActionProfileGroup
  ) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    let all = try profiles(query.actionProfileID).map { profile in
      let groups = state.profiles[profile.id]?.groups ?? [:]
      let ids = query.groupID == 0 ? groups.keys.sorted() : [query.groupID]
      return ids.lazy.compactMap { id in groups[id].map { message(id, $0, profile) } }
    }
    return AnySequence(all.lazy.joined())
  }

  private func profiles(_ id: UInt32) throws(P4Error) -> [P4Program.Profile] {
    if id == 0 { return program.profiles.values.sorted { $0.id < $1.id } }
    guard let profile = program.profiles[id] else { throw state.unknown("action profile", id) }
    return [profile]
  }

  private func message(
    _ id: UInt32, _ group: ProfileState.Group, _ profile: P4Program.Profile
  ) -> P4_V1_Entity {
    .with {
      $0.actionProfileGroup = .with {
        $0.actionProfileID = profile.id
        $0.groupID = id
        $0.maxSize = group.maximumSize
        $0.members = group.members.map { member in
          .with {
            $0.memberID = member.choice
            $0.weight = member.weight
          }
        }
      }
    }
  }

  private func answer(
    _ query: P4_V1_CounterEntry
  ) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    let counters: [P4Program.Counter]
    if query.counterID == 0 {
      counters = program.counters.values.sorted { $0.id < $1.id }
    } else {
      guard let counter = program.counters[query.counterID] else {
        throw state.unknown("counter", query.counterID)
      }
      counters = [counter]
    }
    var all: [AnySequence<P4_V1_Entity>] = []
    for counter in counters {
      let only = try query.hasIndex ? ForwardingState.index(query.index, of: counter) : nil
      let packets = counter.packets.flatMap { registers[$0] } ?? []
      let bytes = counter.bytes.flatMap { registers[$0] } ?? []
      let indices = only.map { $0..<$0 + 1 } ?? 0..<counter.size
      all.append(
        AnySequence(
          indices.lazy.map { index in
            .with {
              $0.counterEntry = .with {
                $0.counterID = counter.id
                $0.index = .with { $0.index = Int64(index) }
                $0.data = .with {
                  if packets.indices.contains(index) {
                    $0.packetCount = Int64(truncatingIfNeeded: packets[index])
                  }
                  if bytes.indices.contains(index) {
                    $0.byteCount = Int64(truncatingIfNeeded: bytes[index])
                  }
                }
              }
            }
          }))
    }
    return AnySequence(all.lazy.joined())
  }

  private func answer(_ query: P4_V1_TableEntry) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    guard query.tableID == 0 else { return try rows(of: try state.table(query.tableID), query) }
    guard query.match.isEmpty, !query.hasAction, query.priority == 0, query.metadata.isEmpty,
      query.controllerMetadata == 0
    else {
      throw P4Error(.invalidArgument, "reading all tables takes no other filter; set table_id")
    }
    var all: [AnySequence<P4_V1_Entity>] = []
    for table in program.tables.values.sorted(by: { $0.id < $1.id }) {
      all.append(try rows(of: table, query))
    }
    return AnySequence(all.lazy.joined())
  }

  private func rows(
    of table: P4Program.Table, _ query: P4_V1_TableEntry
  ) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    if query.hasCounterData { throw state.noDirectCounter(table.id) }
    if query.hasMeterConfig || query.hasMeterCounterData { throw state.noDirectMeter(table.id) }
    try state.refuseIdleTimeout(query, table)
    if query.isDefaultAction {
      guard query.match.isEmpty, query.priority == 0 else {
        throw P4Error(.invalidArgument, "the default entry has neither match nor priority")
      }
      return AnySequence([.with { $0.tableEntry = defaultEntry(table) }])
    }
    let wanted = query.match.isEmpty ? nil : try program.key(of: query, in: table)
    let action = try actionFilter(query, table)
    func entity(_ key: MatchKey, _ row: Row) -> P4_V1_Entity? {
      if query.priority != 0, key.priority != query.priority { return nil }
      if !query.metadata.isEmpty, row.metadata != query.metadata { return nil }
      if query.controllerMetadata != 0, row.controllerMetadata != query.controllerMetadata {
        return nil
      }
      if let action {
        guard case .call(let call) = row.action, call.id == action else { return nil }
      }
      return .with { $0.tableEntry = program.message(row, key: key, in: table) }
    }
    if table.filling == .pipeline {
      let entries = learned[table.engineTable] ?? []
      return AnySequence(
        entries.lazy.compactMap { entry in
          let key = MatchKey(values: entry.key)
          guard wanted == nil || wanted == key,
            let call = program.call(action: entry.action, arguments: entry.arguments, in: table)
          else { return nil }
          return entity(key, Row(action: .call(call)))
        })
    }
    let rows = state.tables[table.id] ?? [:]
    let keys = wanted.map { [$0] } ?? rows.keys.sorted(by: Self.precedes)
    return AnySequence(keys.lazy.compactMap { key in rows[key].flatMap { entity(key, $0) } })
  }

  private func actionFilter(
    _ query: P4_V1_TableEntry, _ table: P4Program.Table
  ) throws(P4Error) -> UInt32? {
    guard query.hasAction, let type = query.action.type else { return nil }
    guard case .action(let action) = type, table.profile == nil else {
      throw P4Error(.unimplemented, "only entries of direct tables can be filtered by action")
    }
    guard table.actions[action.actionID] != nil else {
      throw P4Error(.invalidArgument, "\(table.name) has no action \(action.actionID)")
    }
    return action.actionID
  }

  private static func precedes(_ a: MatchKey, _ b: MatchKey) -> Bool {
    if a.priority != b.priority { return a.priority > b.priority }
    if a.values != b.values { return a.values.lexicographicallyPrecedes(b.values) }
    return a.masks.lexicographicallyPrecedes(b.masks)
  }

  private func defaultEntry(_ table: P4Program.Table) -> P4_V1_TableEntry {
    let own = state.defaults[table.id]
    var entry = P4_V1_TableEntry()
    entry.tableID = table.id
    entry.isDefaultAction = true
    if let own, case .call(let call) = own.action {
      entry.action = .with { $0.action = program.message(call) }
      entry.metadata = own.metadata
      entry.controllerMetadata = own.controllerMetadata
    } else if let call = program.originalDefault(of: table) {
      entry.action = .with { $0.action = program.message(call) }
    }
    return entry
  }
}
