import Core
import GRPCCore
import GRPCProtobuf
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
      guard let encoder, let changes = try store?.commit(updates) else { throw Self.noPipeline }
      do throws(DataplaneError) {
        try await send(steps(updates, changes, encoder), from: wanted)
      } catch {
        // Whatever of it took effect is taken back; when the server is away, later.
        store?.takeBack(changes)
        if let present = try? await readState() { try? await reconcile(from: present) }
        throw error
      }
      wanted.apply(updates)
    }
  }

  /// The fewest updates that have the effect of a batch, in an order in which nothing refers
  /// to what is not there.
  ///
  /// - Parameter changes: what the batch does, update by update.
  private func steps(
    _ updates: [Update], _ changes: [TableStore.Change], _ encoder: UpdateEncoder
  ) -> [Update] {
    // Whoever made the batch knows what leads to what, unless members and groups are in it.
    guard encoder.members.isEmpty, !RemoteState.isAnyTwice(updates) else {
      let before = wanted.part(updates)
      var after = before
      after.apply(updates)
      return after.updates(from: before, members: encoder.members, in: RemoteState.Order(updates))
    }
    return zip(updates, changes).compactMap { update, change in
      if case .set(let entry, let old) = change, entry == old { nil } else { update }
    }
  }

  /// Makes the server's state the wanted one.
  func reconcile(from present: RemoteState) async throws(DataplaneError) {
    guard let encoder else { throw Self.noPipeline }
    let updates = wanted.updates(
      from: present, members: encoder.members, in: .init(encoder.program.contract))
    guard !updates.isEmpty else { return }
    logger.notice("reconciling", metadata: ["updates": "\(updates.count)"])
    try await send(updates, from: present)
  }

  /// Takes what is in the server for what is wanted.
  func adopt(_ present: RemoteState) throws(DataplaneError) {
    guard let contract = encoder?.program.contract else { throw Self.noPipeline }
    if let row = present.rows.values.first(where: { $0.action.isEmpty }) {
      throw DataplaneError(.unimplemented, row.table, "has an entry of one-shot actions")
    }
    var fresh = TableStore(contract: contract)
    let groups = present.groups.map {
      Update.setGroup(selector: $0.key.selector, group: $0.key.id, members: $0.value)
    }
    _ = try fresh.commit(present.rows.values.map { .insert($0) } + groups)
    store = fresh
    wanted = present
  }

  /// - Parameter present: what the server has now.
  private func send(
    _ updates: [Update], from present: RemoteState
  ) async throws(DataplaneError) {
    guard let encoder else { throw Self.noPipeline }
    guard kind == .upstream else {
      return try await write(updates, groups: Set(present.groups.keys), encoder)
    }
    let plan = try UpstreamPlan(updates, present: present, ports: ports ?? 0, encoder: encoder).plan
    for start in stride(from: 0, to: plan.messages.count, by: kind.maximumBatch) {
      let end = min(start + kind.maximumBatch, plan.messages.count)
      do { _ = try await client.write(request(Array(plan.messages[start..<end]))) } catch {
        throw writeError(error)
      }
    }
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

  /// Sends updates in batches. A batch is encoded while the one before it is under way; it is
  /// sent then, too, where both are of one table and so neither leads to the other. gRPC keeps
  /// the order of no two Writes.
  ///
  /// - Parameter groups: those that the server has.
  private func write(
    _ updates: [Update], groups: Set<RemoteState.Group>, _ encoder: UpdateEncoder
  ) async throws(DataplaneError) {
    var groups = groups
    var underWay: [Task<(any Error)?, Never>] = []
    var failed: (any Error)?
    var last: UpdateTarget?
    var start = 0
    while start < updates.count, failed == nil {
      let batch = updates[start..<min(start + options.batchSize, updates.count)]
      start = batch.endIndex
      var request: EncodedWrite
      do throws(DataplaneError) {
        request = try EncodedWrite(self.request([]))
        for update in batch {
          var isNew = false
          if case .setGroup(let selector, let id, _) = update {
            isNew = groups.insert(RemoteState.Group(selector: selector, id: id)).inserted
          }
          try request.append(update, isNew: isNew, by: encoder)
        }
      } catch {
        failed = error
        break
      }
      let target = UpdateTarget(common: batch)
      let limit = target != nil && target == last ? Self.writesUnderWay - 1 : 0
      while underWay.count > limit { failed = await underWay.removeFirst().value ?? failed }
      guard failed == nil else { break }
      last = target
      underWay.append(Task { [request] in await self.write(request) })
    }
    // They are over before anybody reads what became of them.
    for write in underWay { failed = await write.value ?? failed }
    if let failed { throw writeError(failed) }
  }

  private static let writesUnderWay = 2

  private func request(_ updates: [P4_V1_Update]) -> P4_V1_WriteRequest {
    .with {
      $0.deviceID = options.deviceID
      $0.electionID = electionID
      $0.updates = updates
      if kind.isAtomic { $0.atomicity = .rollbackOnError }
    }
  }

  /// - Returns: the error with which it failed, or nil.
  private nonisolated func write(_ request: EncodedWrite) async -> (any Error)? {
    do {
      try await grpc.unary(
        request: ClientRequest(message: request),
        descriptor: P4_V1_P4Runtime.Method.Write.descriptor,
        serializer: EncodedWrite.Serializer(),
        deserializer: ProtobufDeserializer<P4_V1_WriteResponse>(), options: .defaults
      ) { _ = try $0.message }
      return nil
    } catch {
      // The errors of so many updates did not fit into what a client takes. Nothing has
      // changed, so fewer at a time say which it is.
      guard let rpc = error as? RPCError, rpc.code == .unknown, Self.details(rpc).isEmpty,
        request.count > Self.explained
      else { return error }
      for start in stride(from: 0, to: request.count, by: Self.explained) {
        let end = min(start + Self.explained, request.count)
        if let error = await write(request.part(start..<end)) { return error }
      }
      return nil
    }
  }

  /// So many updates' errors fit into 8 KiB of trailers.
  private static let explained = 128

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
