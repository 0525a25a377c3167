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
    }
    for profile in encoder.program.profiles.values {
      queries.append(.with { $0.actionProfileMember = .with { $0.actionProfileID = profile.id } })
      // Upstream's server cannot list groups.
      guard kind == .faithful, profile.hasSelector else { continue }
      queries.append(.with { $0.actionProfileGroup = .with { $0.actionProfileID = profile.id } })
    }
    var state = try await read(queries)
    if kind == .upstream { try await completeUpstream(&state, encoder) }
    return state
  }

  /// Upstream's server lists P4Info's size of rows at most, and no groups: what is wanted
  /// and was not listed is asked for one by one, and so are the groups that rows name.
  private func completeUpstream(
    _ state: inout RemoteState, _ encoder: UpdateEncoder
  ) async throws(DataplaneError) {
    var queries: [P4_V1_Entity] = []
    for (key, _) in wanted.rows where state.rows[key] == nil {
      queries.append(try encoder.entity(TableEntry(table: key.table, key: key.key, action: "")))
    }
    var groups = Set(wanted.groups.keys)
    for row in state.rows.values where row.action.hasSuffix("_set_group_id") {
      guard let table = encoder.table(row.table), let id = row.arguments.first,
        let profile = table.profile.flatMap({ encoder.program.profiles[$0] }),
        let selector = profile.selector
      else { continue }
      groups.insert(RemoteState.Group(selector: selector.name, id: UInt32(clamping: id)))
    }
    for group in groups { queries.append(try encoder.entity(group.selector, group.id, [])) }
    for query in queries {
      // One missing entity fails a whole Read there.
      guard let found = try? await read([query]) else { continue }
      state.rows.merge(found.rows) { old, _ in old }
      state.groups.merge(found.groups) { old, _ in old }
    }
  }

  /// What a Read of these entities gives.
  func read(_ queries: [P4_V1_Entity]) async throws(DataplaneError) -> RemoteState {
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
        for try await message in response.messages {
          for entity in message.entities { try decoder.add(entity, to: &state) }
        }
        return state
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
      if kind == .upstream { try await completeUpstream(&state, encoder) }
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
      guard let encoder else { throw Self.noPipeline }
      let decoder = EntityDecoder(program: encoder.program)
      let queries = encoder.program.tables.values.filter { $0.filling == .pipeline }
        .map { table in P4_V1_Entity.with { $0.tableEntry.tableID = table.id } }
      guard !queries.isEmpty else { return [] }
      do {
        return try await client.read(
          .with {
            $0.deviceID = options.deviceID
            $0.entities = queries
          }
        ) { response in
          var entries: [TableEntry] = []
          for try await message in response.messages {
            entries += try message.entities.compactMap { try decoder.learned($0) }
          }
          return entries
        }
      } catch {
        throw failure(error, "read")
      }
    }
  }

  static let noPipeline = DataplaneError(
    .unavailable, "infrap4d", "its pipeline is not known yet")
}
