import Foundation
import GRPCCore
import P4RuntimeProtos

extension UpstreamFake {
  public func write(
    request: P4_V1_WriteRequest, context: ServerContext
  ) async throws -> P4_V1_WriteResponse {
    try alive()
    guard request.atomicity == .continueOnError else {
      throw RPCError(code: .invalidArgument, message: "Request does not support atomicity")
    }
    let errors = try state.withLock { state in
      guard request.electionID.low == state.primary?.id else {
        throw RPCError(
          code: .permissionDenied, message: "Write from non-master is not permitted.")
      }
      guard state.config != nil else {
        throw RPCError(code: .failedPrecondition, message: "Not initialized!")
      }
      state.writes += 1
      var errors: [P4_V1_Error] = []
      for update in request.updates {
        state.updates.append(update)
        let (canonical, code) = Self.execute(update, &state)
        errors.append(
          .with {
            $0.canonicalCode = canonical
            $0.code = code
            if canonical != 0 { $0.message = "update failed" }
          })
      }
      return errors
    }
    try alive()
    let failed = errors.count { $0.canonicalCode != 0 }
    guard failed > 0 else { return .init() }
    throw try Self.failure("One or more write operations failed.", errors)
  }

  /// A failure with an error for each update or entity, good ones too; sixty are more than
  /// clients take.
  static func failure(_ message: String, _ errors: [P4_V1_Error]) throws -> RPCError {
    guard errors.count < 60 else {
      return RPCError(
        code: .resourceExhausted, message: "received trailing metadata size exceeds")
    }
    let status = try Google_Rpc_Status.with {
      $0.code = 2
      $0.message = message
      $0.details = try errors.map { try .init(message: $0) }
    }
    var metadata = Metadata()
    metadata.addBinary(try status.serializedBytes(), forKey: "grpc-status-details-bin")
    return RPCError(code: .unknown, message: status.message, metadata: metadata)
  }

  private static func execute(_ update: P4_V1_Update, _ state: inout State) -> (Int32, Int32) {
    switch update.entity.entity {
    case .tableEntry(let entry): return execute(update.type, entry, &state)
    case .actionProfileMember(let member): return execute(update.type, member, &state)
    case .actionProfileGroup(let group): return execute(update.type, group, &state)
    default: return (12, 12)
    }
  }

  static func name(_ entry: P4_V1_TableEntry) -> P4_V1_TableEntry {
    .with {
      $0.tableID = entry.tableID
      $0.match = entry.match.map { padded($0) }
    }
  }

  /// Values are kept, and read back, at full width: all fields here have 32 bits.
  private static func padded(_ match: P4_V1_FieldMatch) -> P4_V1_FieldMatch {
    var match = match
    match.exact.value = padded(match.exact.value, 4)
    return match
  }

  static func padded(_ value: Data, _ width: Int) -> Data {
    Data(repeating: 0, count: max(0, width - value.count)) + value.suffix(width)
  }

  private static func execute(
    _ type: P4_V1_Update.TypeEnum, _ entry: P4_V1_TableEntry, _ state: inout State
  ) -> (Int32, Int32) {
    let name = name(entry)
    let isThere = state.rows[name] != nil
    switch type {
    case .insert:
      if isThere { return (6, 6) }
      if case .actionProfileGroupID(let id) = entry.action.type {
        // Which profile does not matter here: ids are unique in the tests.
        guard let group = state.groups.first(where: { $0.key.id == id })?.value,
          !group.members.isEmpty
        else { return (13, 13) }
      }
      // The first frame that meets it.
      if let port = Self.port(of: entry), port >= state.ports.count {
        state.crash = "a row to port \(port)"
      }
      var kept = name
      kept.action = entry.action
      state.rows[name] = kept
      return (0, 0)
    case .modify: return isThere ? (0, 0) : (5, 504)
    case .delete: return state.rows.removeValue(forKey: name) == nil ? (5, 5) : (0, 0)
    default: return (3, 503)
    }
  }

  private static func port(of entry: P4_V1_TableEntry) -> Int? {
    guard case .action(let action) = entry.action.type, action.actionID == Balancer.route else {
      return nil
    }
    return action.params.first { $0.paramID == 1 }.map { $0.value.reduce(0) { $0 << 8 | Int($1) } }
  }

  private static func execute(
    _ type: P4_V1_Update.TypeEnum, _ member: P4_V1_ActionProfileMember, _ state: inout State
  ) -> (Int32, Int32) {
    let key = Member(profile: member.actionProfileID, id: member.memberID)
    let isThere = state.members[key] != nil
    switch type {
    case .insert:
      if key.id == 0 { return (3, 503) }
      if isThere { return (8, 513) }
      if ![Balancer.pick, Balancer.route].contains(member.action.actionID) {
        state.crash = "a member with a foreign action"
      }
      state.members[key] = member.action
      return (0, 0)
    case .modify: return isThere ? (0, 0) : (5, 504)
    case .delete:
      if !isThere { return (5, 504) }
      if state.references[key, default: 0] > 0 { return (13, 13) }
      state.members[key] = nil
      return (0, 0)
    default: return (3, 503)
    }
  }

  private static func execute(
    _ type: P4_V1_Update.TypeEnum, _ group: P4_V1_ActionProfileGroup, _ state: inout State
  ) -> (Int32, Int32) {
    let key = Member(profile: group.actionProfileID, id: group.groupID)
    let ids = group.members.map { Member(profile: group.actionProfileID, id: $0.memberID) }
    if group.members.count >= 1024 { state.crash = "a group of 1,024 members" }
    switch type {
    case .insert, .modify:
      guard ids.allSatisfy({ state.members[$0] != nil }) else { return (3, 503) }
      if type == .insert {
        guard state.groups[key] == nil else { return (8, 513) }
        guard group.members.count <= group.maxSize else { return (3, 503) }
        for id in ids { state.references[id, default: 0] += 1 }
        state.groups[key] = group
        return (0, 0)
      }
      guard let old = state.groups[key] else { return (5, 504) }
      // Only adds, and what is dropped from the list keeps its reference for ever.
      for member in group.members
      where !old.members.contains(where: { $0.memberID == member.memberID }) {
        state.groups[key]?.members.append(member)
        state.references[Member(profile: key.profile, id: member.memberID), default: 0] += 1
      }
      return (0, 0)
    case .delete:
      guard let old = state.groups.removeValue(forKey: key) else { return (5, 504) }
      for member in old.members {
        state.references[Member(profile: key.profile, id: member.memberID), default: 0] -= 1
      }
      return (0, 0)
    default: return (3, 503)
    }
  }
}
