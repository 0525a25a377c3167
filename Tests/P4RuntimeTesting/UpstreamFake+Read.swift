import Foundation
import GRPCCore
import P4RuntimeProtos

extension UpstreamFake {
  public func read(
    request: P4_V1_ReadRequest, response: RPCWriter<P4_V1_ReadResponse>, context: ServerContext
  ) async throws {
    try alive()
    let answers = state.withLock { state in request.entities.map { Self.answer($0, state) } }
    // Those that are there are sent, and then all fails when one is not.
    for case .success(let entities) in answers {
      try await response.write(.with { $0.entities = entities })
    }
    try await response.write(.init())
    let errors = answers.map { answer -> P4_V1_Error in
      guard case .failure(let error) = answer else { return .init() }
      return .with { ($0.canonicalCode, $0.code) = (error.canonical, error.code) }
    }
    guard errors.contains(where: { $0.canonicalCode != 0 }) else { return }
    throw try Self.failure("One or more read operations failed.", errors)
  }

  private struct Refusal: Error {
    var canonical: Int32
    var code: Int32
    static let missing = Refusal(canonical: 5, code: 504)
    static let invalid = Refusal(canonical: 3, code: 503)
  }

  private static func answer(
    _ query: P4_V1_Entity, _ state: State
  ) -> Result<[P4_V1_Entity], Refusal> {
    switch query.entity {
    case .tableEntry(let entry):
      guard entry.match.isEmpty else {
        guard let row = state.rows[name(entry)] else { return .failure(.missing) }
        return .success([.table(read(row))])
      }
      let size = state.config?.p4Info.tables.first { $0.preamble.id == entry.tableID }?.size ?? 0
      let rows = state.rows.values.filter { $0.tableID == entry.tableID }.prefix(Int(size))
      return .success(rows.map { .table(read($0)) })
    case .actionProfileMember(let query):
      let found = state.members.filter {
        $0.key.profile == query.actionProfileID
          && (query.memberID == 0 || $0.key.id == query.memberID)
      }
      if query.memberID != 0, found.isEmpty { return .failure(.missing) }
      return .success(found.map { .member($0.key.profile, $0.key.id, read($0.value)) })
    case .actionProfileGroup(let query):
      guard query.groupID != 0 else { return .failure(.invalid) }
      guard var group = state.groups[Member(profile: query.actionProfileID, id: query.groupID)]
      else { return .failure(.missing) }
      for i in group.members.indices { group.members[i].weight = 1 }
      return .success([.with { $0.actionProfileGroup = group }])
    default: return .failure(Refusal(canonical: 12, code: 12))
    }
  }

  private static func read(_ row: P4_V1_TableEntry) -> P4_V1_TableEntry {
    var row = row
    if case .action(let action) = row.action.type { row.action.action = read(action) }
    return row
  }

  private static func read(_ action: P4_V1_Action) -> P4_V1_Action {
    var action = action
    for i in action.params.indices {
      action.params[i].value = padded(action.params[i].value, action.params[i].paramID == 2 ? 6 : 4)
    }
    return action
  }
}
