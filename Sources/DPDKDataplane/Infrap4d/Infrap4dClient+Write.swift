import Core
import GRPCCore
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf

extension Infrap4dClient {
  /// Applies all updates, or none of them.
  ///
  /// - Throws: ``DataplaneError``, as ``Dataplane/apply(_:)`` does, and `unavailable` when
  ///   the server is away or did not do what it said it did; it is brought back to the
  ///   state before then, now or when it comes back.
  public func apply(_ updates: [Update]) async throws(DataplaneError) {
    try await attempt { () async throws(DataplaneError) in
      guard let encoder else { throw Self.noPipeline }
      let before = wanted.part(updates)
      var after = before
      after.apply(updates)
      let order = RemoteState.Order(updates)
      func takeBack() {
        let back = before.updates(from: after, members: encoder.members, in: order)
        _ = try? store?.commit(back)
      }
      _ = try store?.commit(updates)
      let plan: WritePlan
      do throws(DataplaneError) {
        plan = try self.plan(
          after.updates(from: before, members: encoder.members, in: order), from: wanted)
      } catch {
        takeBack()
        throw error
      }
      do throws(DataplaneError) { try await send(plan) } catch {
        // Whatever of it took effect is taken back; when the server is away, later.
        takeBack()
        if let present = try? await readState() { try? await reconcile(from: present) }
        throw error
      }
      wanted.apply(updates)
    }
  }

  /// Makes the server's state the wanted one.
  func reconcile(from present: RemoteState) async throws(DataplaneError) {
    guard let encoder else { throw Self.noPipeline }
    let updates = wanted.updates(
      from: present, members: encoder.members, in: .init(encoder.program.contract))
    guard !updates.isEmpty else { return }
    logger.notice("reconciling", metadata: ["updates": "\(updates.count)"])
    try await send(try plan(updates, from: present))
  }

  /// Takes what is in the server for what is wanted.
  func adopt(_ present: RemoteState) throws(DataplaneError) {
    guard let contract = encoder?.program.contract else { throw Self.noPipeline }
    var fresh = TableStore(contract: contract)
    let groups = present.groups.map {
      Update.setGroup(selector: $0.key.selector, group: $0.key.id, members: $0.value)
    }
    _ = try fresh.commit(present.rows.values.map { .insert($0) } + groups)
    store = fresh
    wanted = present
  }

  /// - Parameter present: what the server has now.
  private func plan(
    _ updates: [Update], from present: RemoteState
  ) throws(DataplaneError) -> WritePlan {
    guard let encoder else { throw Self.noPipeline }
    guard kind == .faithful else {
      return try UpstreamPlan(updates, present: present, ports: ports ?? 0, encoder: encoder).plan
    }
    var groups = Set(present.groups.keys)
    var plan = WritePlan()
    plan.messages.reserveCapacity(updates.count)
    for update in updates {
      var isNew = false
      if case .setGroup(let selector, let id, _) = update {
        isNew = groups.insert(RemoteState.Group(selector: selector, id: id)).inserted
      }
      plan.messages.append(try encoder.message(update, isNew: isNew))
    }
    return plan
  }

  private func send(_ plan: WritePlan) async throws(DataplaneError) {
    try await write(plan.messages, size: min(options.batchSize, kind.maximumBatch))
    // Upstream's server says that it did what it did not.
    let found = try await readPresent(plan.touched)
    if let key = Set(plan.expected.rows.keys).union(found.rows.keys)
      .first(where: { plan.expected.rows[$0] != found.rows[$0] })
    {
      throw Self.lie("\(key.table) \(key.key)")
    }
    if let group = plan.expected.groups.keys
      .first(where: { plan.expected.groups[$0] != found.groups[$0] })
    {
      throw Self.lie("\(group.selector) \(group.id)")
    }
  }

  private static func lie(_ entity: String) -> DataplaneError {
    DataplaneError(.unavailable, entity, "the server said OK to a write that reads back otherwise")
  }

  /// Several Writes may be under way: gRPC keeps the order of none, so each waits for the
  /// one before it.
  private func write(_ messages: [P4_V1_Update], size: Int) async throws(DataplaneError) {
    var start = 0
    while start < messages.count {
      let batch = messages[start..<min(start + size, messages.count)]
      do {
        _ = try await client.write(
          .with {
            $0.deviceID = options.deviceID
            $0.electionID = electionID
            $0.updates = Array(batch)
            if kind.isAtomic { $0.atomicity = .rollbackOnError }
          })
      } catch {
        throw writeError(error)
      }
      start += size
    }
  }

  /// The first error of a batch, in the dataplane's terms.
  private func writeError(_ error: any Error) -> DataplaneError {
    let errors = (error as? RPCError).map(Self.details) ?? []
    // An update that was rolled back is not the one to blame.
    let blamed =
      errors.first { $0.canonicalCode != 0 && $0.canonicalCode != P4Error.Code.aborted.rawValue }
    guard let blamed,
      let code = RPCError.Code(Status.Code(rawValue: Int(blamed.canonicalCode)) ?? .unknown)
    else { return failure(error, "write") }
    return failure(RPCError(code: code, message: blamed.message), "write")
  }

  /// One error for each update or entity of a request.
  static func details(_ error: RPCError) -> [P4_V1_Error] {
    guard
      let bytes = error.metadata[binaryValues: "grpc-status-details-bin"]
        .first(where: { _ in true }),
      let status = try? Google_Rpc_Status(serializedBytes: bytes)
    else { return [] }
    return status.details.compactMap { try? P4_V1_Error(unpackingAny: $0) }
  }
}
