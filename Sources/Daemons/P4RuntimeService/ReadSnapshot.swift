import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// What one ReadRequest is answered from.
struct ReadSnapshot: Sendable {
  let state: ForwardingState
  /// Learner → its live entries.
  var learned: [String: [LearnedEntry]] = [:]
  /// What was asked for of arrays.
  var arrays = ArrayReadings()

  init(state: ForwardingState) { self.state = state }

  var program: P4Program { state.program }

  static func readsLearners(_ request: P4_V1_ReadRequest, _ program: P4Program) -> Bool {
    request.entities.contains {
      guard case .tableEntry(let entry)? = $0.entity, !entry.isDefaultAction else { return false }
      return entry.tableID == 0 || program.tables[entry.tableID]?.filling == .pipeline
    }
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
    case .directCounterEntry(let entry): return try answer(entry)
    case .directMeterEntry(let entry): return try answer(entry)
    case .meterEntry(let entry): return try answer(entry)
    case .registerEntry(let entry): return try answer(entry)
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

  private func answer(_ query: P4_V1_TableEntry) throws(P4Error) -> AnySequence<P4_V1_Entity> {
    guard query.tableID == 0 else { return try rows(of: try state.table(query.tableID), query) }
    guard query.match.isEmpty, !query.hasAction, query.priority == 0, query.metadata.isEmpty,
      query.controllerMetadata == 0, !query.isDefaultAction
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
    // A query for all tables takes what each of them has.
    if query.tableID != 0 {
      if query.hasCounterData { _ = try state.directCounter(of: table) }
      if query.hasMeterConfig || query.hasMeterCounterData {
        _ = try state.directMeter(of: table)
      }
      if query.idleTimeoutNs != 0 || query.hasTimeSinceLastHit {
        try state.refuseIdleTimeouts(of: table, isDefault: query.isDefaultAction)
      }
    }
    if query.isDefaultAction {
      guard query.match.isEmpty, query.priority == 0 else {
        throw P4Error(.invalidArgument, "the default entry has neither match nor priority")
      }
      var entry = defaultEntry(table)
      addResources(to: &entry, query, table, .index(0), state.defaultRates[table.id])
      return AnySequence([.with { $0.tableEntry = entry }])
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
      var entry = program.message(row, key: key, in: table)
      addResources(to: &entry, query, table, state.place(of: key, in: table), row.rates)
      return .with { $0.tableEntry = entry }
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
    let keys = wanted.map { [$0] } ?? state.keys(of: table)
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
