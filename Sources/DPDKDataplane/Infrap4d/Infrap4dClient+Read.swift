import Core
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos

extension Infrap4dClient {
  /// Everything that is in the server, by the engine's names.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable``.
  func readState() async throws(DataplaneError) -> RemoteState {
    guard let encoder else { throw Self.noPipeline }
    var queries: [P4_V1_Entity] = []
    for table in encoder.program.tables.values where table.filling == .controller {
      queries.append(.with { $0.tableEntry = .with { $0.tableID = table.id } })
      // Upstream's server does not change what a miss runs.
      guard kind == .faithful, table.profile == nil, table.constantDefaultAction == nil else {
        continue
      }
      queries.append(
        .with {
          $0.tableEntry.tableID = table.id
          $0.tableEntry.isDefaultAction = true
        })
    }
    for profile in encoder.program.profiles.values {
      queries.append(.with { $0.actionProfileMember = .with { $0.actionProfileID = profile.id } })
      // Upstream's server cannot list groups.
      guard kind == .faithful, profile.hasSelector else { continue }
      queries.append(.with { $0.actionProfileGroup = .with { $0.actionProfileID = profile.id } })
    }
    var state = try await read(queries)
    guard kind == .upstream else { return state }
    try await completeRows(&state, encoder)
    // Groups that are wanted, and those that rows name.
    var groups = Set(wanted.groups.keys)
    for row in state.rows.values { if let group = encoder.group(of: row) { groups.insert(group) } }
    let named = try groups.map { group throws(DataplaneError) in
      try encoder.entity(group.selector, group.id, [])
    }
    state.groups = try await readPresent(named).groups
    return state
  }

  /// Upstream's server lists P4Info's number of rows or members at most. Of a list that may
  /// go on, what is wanted and was not in it is asked for by name.
  private func completeRows(
    _ state: inout RemoteState, _ encoder: UpdateEncoder
  ) async throws(DataplaneError) {
    var listed: [String: Int] = [:]
    for key in state.rows.keys { listed[key.table, default: 0] += 1 }
    var queries: [P4_V1_Entity] = []
    for key in wanted.rows.keys where state.rows[key] == nil {
      guard let count = listed[key.table], count >= encoder.listLimit(key.table) else { continue }
      queries.append(try encoder.entity(TableEntry(table: key.table, key: key.key, action: "")))
    }
    state.rows.merge(try await readPresent(queries).rows) { old, _ in old }
  }

  /// What a Read of these entities gives.
  ///
  /// - Throws: ``DataplaneError``, on upstream's server also when one of them is not there.
  private func read(_ queries: [P4_V1_Entity]) async throws(DataplaneError) -> RemoteState {
    let (state, error) = try await stream(queries)
    if let error { throw failure(error, "read") }
    return state
  }

  /// Those of these entities that upstream's server has. One that is not there fails the
  /// whole Read, when those that are have been sent.
  func readPresent(_ queries: [P4_V1_Entity]) async throws(DataplaneError) -> RemoteState {
    var all = RemoteState()
    var rest = queries[...]
    while !rest.isEmpty {
      let batch = rest.prefix(kind.maximumBatch)
      rest = rest.dropFirst(batch.count)
      let (state, error) = try await stream(Array(batch))
      if let error {
        let details = Self.details(error)
        guard details.count == batch.count,
          details.allSatisfy({
            [.ok, .notFound].contains(P4Error.Code(rawValue: $0.canonicalCode))
          })
        else { throw failure(error, "read") }
      }
      all.rows.merge(state.rows) { old, _ in old }
      all.groups.merge(state.groups) { old, _ in old }
    }
    return all
  }

  /// What a Read gives until it ends, and how it failed.
  private func stream(
    _ queries: [P4_V1_Entity]
  ) async throws(DataplaneError) -> (state: RemoteState, error: RPCError?) {
    guard let encoder else { throw Self.noPipeline }
    let decoder = EntityDecoder(program: encoder.program)
    do {
      return try await client.read(
        .with {
          $0.deviceID = options.deviceID
          $0.entities = queries
        }
      ) { response in
        var state = RemoteState()
        do {
          for try await message in response.messages {
            for entity in message.entities { try decoder.add(entity, to: &state) }
          }
        } catch let error as RPCError {
          return (state, error)
        }
        return (state, nil)
      }
    } catch {
      throw failure(error, "read")
    }
  }

  /// The entries of a table as the server has them, by ascending key.
  ///
  /// - Throws: ``DataplaneError``: `notFound`, `unavailable`.
  public func entries(of table: String) async throws(DataplaneError) -> [TableEntry] {
    try await attempt { () async throws(DataplaneError) in
      guard let store, let encoder else { throw Self.noPipeline }
      // For its error.
      _ = try store.entries(of: table)
      let query: P4_V1_Entity
      if let profile = encoder.profile(ofMembers: table) {
        query = .with { $0.actionProfileMember = .with { $0.actionProfileID = profile.id } }
      } else if let found = encoder.table(table) {
        query = .with { $0.tableEntry = .with { $0.tableID = found.id } }
      } else {
        throw DataplaneError(.notFound, table, "no such table in P4Info")
      }
      var state = try await read([query])
      if kind == .upstream { try await completeRows(&state, encoder) }
      return state.rows.values.filter { $0.table == table }
        .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
  }

  /// The live entries that the pipeline has learned, in no order. When they expire is not
  /// said.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable``.
  public func learned() async throws(DataplaneError) -> [TableEntry] {
    try await attempt { () async throws(DataplaneError) in
      try await readLearned(into: []) { $0.append($1) }
    }
  }

  /// Goes through the live entries that the pipeline has learned, of which there may be millions.
  func readLearned<Result: Sendable>(
    into start: Result, _ add: @escaping @Sendable (inout Result, TableEntry) -> Void
  ) async throws(DataplaneError) -> Result {
    guard let encoder else { throw Self.noPipeline }
    let decoder = EntityDecoder(program: encoder.program)
    let queries = encoder.program.tables.values.filter { $0.filling == .pipeline }
      .map { table in P4_V1_Entity.with { $0.tableEntry.tableID = table.id } }
    guard !queries.isEmpty else { return start }
    do {
      return try await client.read(
        .with {
          $0.deviceID = options.deviceID
          $0.entities = queries
        }
      ) { response in
        var result = start
        for try await message in response.messages {
          for entity in message.entities {
            if let entry = try decoder.learned(entity) { add(&result, entry) }
          }
        }
        return result
      }
    } catch {
      throw failure(error, "read")
    }
  }

  /// The frames that an indirect counter has counted, by index.
  ///
  /// - Parameter name: without the scope it has in P4: `drops`.
  /// - Throws: ``DataplaneError``: `notFound`, `unavailable`.
  public func frames(of name: String) async throws(DataplaneError) -> [UInt64] {
    try await attempt { () async throws(DataplaneError) in
      guard let encoder else { throw Self.noPipeline }
      guard let counter = encoder.program.counter(named: name) else {
        throw DataplaneError(.notFound, name, "no such counter in P4Info")
      }
      // Upstream's server reads no counter as a whole.
      let asked: [P4_V1_CounterEntry] =
        kind == .upstream
        ? (0..<counter.size).map { index in
          .with {
            $0.counterID = counter.id
            $0.index.index = Int64(index)
          }
        } : [.with { $0.counterID = counter.id }]
      var counts = [UInt64](repeating: 0, count: counter.size)
      var rest = asked[...]
      do {
        while !rest.isEmpty {
          let batch = rest.prefix(kind.maximumBatch)
          rest = rest.dropFirst(batch.count)
          for entry in try await read(batch) {
            guard let index = Int(exactly: entry.index.index), counts.indices.contains(index)
            else { continue }
            counts[index] = UInt64(clamping: entry.data.packetCount)
          }
        }
      } catch {
        throw failure(error, "read")
      }
      return counts
    }
  }

  private func read(
    _ entries: ArraySlice<P4_V1_CounterEntry>
  ) async throws -> [P4_V1_CounterEntry] {
    try await client.read(
      .with {
        $0.deviceID = options.deviceID
        $0.entities = entries.map { entry in .with { $0.counterEntry = entry } }
      }
    ) { response in
      var found: [P4_V1_CounterEntry] = []
      for try await message in response.messages {
        for case .counterEntry(let entry)? in message.entities.map(\.entity) { found.append(entry) }
      }
      return found
    }
  }

  static let noPipeline = DataplaneError(
    .unavailable, "infrap4d", "its pipeline is not known yet")
}
