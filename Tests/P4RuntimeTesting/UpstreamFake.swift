import Foundation
import GRPCCore
import P4RuntimeProtos
import Synchronization

/// A stand-in for upstream's `infrap4d` of IPDK 23.01, which misbehaves as that one was
/// seen to: MODIFY answers OK and changes nothing, a group only grows and its dropped
/// members can never be deleted, 1,024 members or a foreign action crash it, values are
/// padded, lists stop at P4Info's size, groups cannot be listed, one pipeline a life, a
/// push fails at random, sixty errors do not fit the answer.
public final class UpstreamFake: P4_V1_P4Runtime.SimpleServiceProtocol {
  private struct Member: Hashable {
    var profile: UInt32
    var id: UInt32
  }

  private struct State {
    var config: P4_V1_ForwardingPipelineConfig?
    var failures: Int
    var rows: [P4_V1_TableEntry: P4_V1_TableEntry] = [:]
    var members: [Member: P4_V1_Action] = [:]
    var references: [Member: Int] = [:]
    var groups: [Member: P4_V1_ActionProfileGroup] = [:]
    var primary: UInt64 = 0
    var crash: String?
    var writes = 0
  }

  private let state: Mutex<State>

  /// - Parameter failures: pushes that fail before one succeeds.
  public init(failures: Int = 0) { state = Mutex(State(failures: failures)) }

  /// Why it crashed; it answers nothing any more.
  public var crash: String? { state.withLock { $0.crash } }
  public var writes: Int { state.withLock { $0.writes } }

  /// What the pipeline really does with a row: its action as it was inserted.
  public func row(_ table: UInt32, _ key: UInt32) -> P4_V1_TableAction? {
    state.withLock { state in
      state.rows.values.first {
        $0.tableID == table && $0.match.first?.exact.value.reduce(0) { $0 << 8 | UInt32($1) } == key
      }?.action
    }
  }

  /// The members that the pipeline chooses from.
  public func group(_ profile: UInt32, _ id: UInt32) -> [UInt32]? {
    state.withLock { $0.groups[Member(profile: profile, id: id)]?.members.map(\.memberID) }
  }

  public func capabilities(
    request: P4_V1_CapabilitiesRequest, context: ServerContext
  ) async throws -> P4_V1_CapabilitiesResponse {
    try alive()
    return .with { $0.p4RuntimeApiVersion = "P4RUNTIME_VER" }
  }

  private func alive() throws {
    if let crash { throw RPCError(code: .unavailable, message: "crashed: \(crash)") }
  }

  public func streamChannel(
    request: RPCAsyncSequence<P4_V1_StreamMessageRequest, any Error>,
    response: RPCWriter<P4_V1_StreamMessageResponse>, context: ServerContext
  ) async throws {
    try alive()
    for try await message in request {
      guard case .arbitration(let update) = message.update else { continue }
      let isPrimary = state.withLock { state in
        guard update.electionID.low >= state.primary else { return false }
        state.primary = update.electionID.low
        return true
      }
      try await response.write(
        .with {
          $0.arbitration = update
          $0.arbitration.status.code = isPrimary ? 0 : 6
          if !isPrimary { $0.arbitration.status.message = "You are not my master!" }
        })
    }
  }

  public func setForwardingPipelineConfig(
    request: P4_V1_SetForwardingPipelineConfigRequest, context: ServerContext
  ) async throws -> P4_V1_SetForwardingPipelineConfigResponse {
    try alive()
    return try state.withLock { state in
      guard state.config == nil else {
        throw RPCError(
          code: .failedPrecondition,
          message: "Only a single forwarding pipeline can be pushed for any node so far.")
      }
      if request.action == .commit {
        state.crash = "COMMIT after a push that failed"
        throw RPCError(code: .unavailable, message: "crashed")
      }
      guard state.failures == 0 else {
        state.failures -= 1
        throw RPCError(
          code: .internalError,
          message: "'bf_pal_device_add(dev_id, &device_profile)' failed with error message: "
            + "Internal error. ")
      }
      state.config = request.config
      return .init()
    }
  }

  public func getForwardingPipelineConfig(
    request: P4_V1_GetForwardingPipelineConfigRequest, context: ServerContext
  ) async throws -> P4_V1_GetForwardingPipelineConfigResponse {
    try alive()
    guard let config = state.withLock({ $0.config }) else {
      throw RPCError(code: .failedPrecondition, message: "No valid forwarding pipeline config")
    }
    return .with { $0.config = config }
  }

  // MARK: Write

  public func write(
    request: P4_V1_WriteRequest, context: ServerContext
  ) async throws -> P4_V1_WriteResponse {
    try alive()
    guard request.atomicity == .continueOnError else {
      throw RPCError(code: .invalidArgument, message: "Request does not support atomicity")
    }
    let errors = try state.withLock { state in
      guard request.electionID.low == state.primary else {
        throw RPCError(
          code: .permissionDenied, message: "Write from non-master is not permitted.")
      }
      guard state.config != nil else {
        throw RPCError(code: .failedPrecondition, message: "Not initialized!")
      }
      state.writes += 1
      var errors: [P4_V1_Error] = []
      for update in request.updates {
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
    guard failed < 60 else {
      throw RPCError(code: .resourceExhausted, message: "received trailing metadata size exceeds")
    }
    let status = try Google_Rpc_Status.with {
      $0.code = 2
      $0.message = "One or more write operations failed."
      $0.details = try errors.map { try .init(message: $0) }
    }
    var metadata = Metadata()
    metadata.addBinary(try status.serializedBytes(), forKey: "grpc-status-details-bin")
    throw RPCError(code: .unknown, message: status.message, metadata: metadata)
  }

  private static func execute(_ update: P4_V1_Update, _ state: inout State) -> (Int32, Int32) {
    switch update.entity.entity {
    case .tableEntry(let entry): return execute(update.type, entry, &state)
    case .actionProfileMember(let member): return execute(update.type, member, &state)
    case .actionProfileGroup(let group): return execute(update.type, group, &state)
    default: return (12, 12)
    }
  }

  private static func name(_ entry: P4_V1_TableEntry) -> P4_V1_TableEntry {
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

  private static func padded(_ value: Data, _ width: Int) -> Data {
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
      var kept = name
      kept.action = entry.action
      state.rows[name] = kept
      return (0, 0)
    case .modify: return isThere ? (0, 0) : (5, 504)
    case .delete: return state.rows.removeValue(forKey: name) == nil ? (5, 5) : (0, 0)
    default: return (3, 503)
    }
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

  // MARK: Read

  public func read(
    request: P4_V1_ReadRequest, response: RPCWriter<P4_V1_ReadResponse>, context: ServerContext
  ) async throws {
    try alive()
    let answer: [[P4_V1_Entity]] = try state.withLock { state in
      try request.entities.map { try Self.answer($0, state) }
    }
    for entities in answer { try await response.write(.with { $0.entities = entities }) }
    try await response.write(.init())
  }

  private static func answer(_ query: P4_V1_Entity, _ state: State) throws -> [P4_V1_Entity] {
    let missing = RPCError(code: .unknown, message: "One or more read operations failed.")
    switch query.entity {
    case .tableEntry(let entry):
      guard entry.match.isEmpty else {
        guard let row = state.rows[name(entry)] else { throw missing }
        return [.table(read(row))]
      }
      let size = state.config?.p4Info.tables.first { $0.preamble.id == entry.tableID }?.size ?? 0
      return state.rows.values.filter { $0.tableID == entry.tableID }.prefix(Int(size))
        .map { .table(read($0)) }
    case .actionProfileMember(let query):
      let found = state.members.filter {
        $0.key.profile == query.actionProfileID
          && (query.memberID == 0 || $0.key.id == query.memberID)
      }
      if query.memberID != 0, found.isEmpty { throw missing }
      return found.map { .member($0.key.profile, $0.key.id, read($0.value)) }
    case .actionProfileGroup(let query):
      guard query.groupID != 0,
        var group = state.groups[Member(profile: query.actionProfileID, id: query.groupID)]
      else { throw missing }
      for i in group.members.indices { group.members[i].weight = 1 }
      return [.with { $0.actionProfileGroup = group }]
    default: throw missing
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
