import Core
import P4RuntimeCodec
import P4RuntimeProtos

extension PipelineController {
  /// Applies a batch.
  ///
  /// - Returns: one result an update, nil for the good ones.
  /// - Throws: ``P4Error`` when no update was attempted.
  func write(_ call: WriteCall) async throws -> [P4Error?] {
    let start = ContinuousClock.now
    do {
      try checkDevice(call.message.deviceID)
      let results = try await turnstile.pass { try await self.writeAlone(call) }
      activity.wrote(results, ContinuousClock.now - start)
      return results
    } catch {
      activity.refusedWrite()
      throw error
    }
  }

  private func writeAlone(_ call: WriteCall) async throws -> [P4Error?] {
    let request = call.message
    try checkPrimary(
      role: request.role,
      electionID: request.hasElectionID ? ElectionID(request.electionID) : nil)
    let isAtomic: Bool
    switch request.atomicity {
    case .continueOnError: isAtomic = false
    case .rollbackOnError, .dataplaneAtomic: isAtomic = true
    case .UNRECOGNIZED(let value):
      throw P4Error(.invalidArgument, "atomicity \(value) is not known")
    }
    let isRealised = saved == nil
    guard var state = isRealised ? activeState.take() : savedState.take() else {
      throw P4Error(.failedPrecondition, "no pipeline is loaded; push one first")
    }
    let results =
      isAtomic
      ? await attemptAll(request.updates, &state) : await attemptEach(request.updates, &state)
    if isRealised { activeState = consume state } else { savedState = consume state }
    guard isRealised else { return results }
    let isAllGood = results.allSatisfy { $0 == nil }
    let good =
      isAllGood ? request.updates : zip(request.updates, results).filter { $0.1 == nil }.map(\.0)
    followIdleTimeouts(of: good)
    if let journal {
      if !good.isEmpty,
        await journal.applied(
          good, encoded: isAllGood ? call.bytes : nil, entries: activeState?.entryCount ?? 0),
        let active,
        let updates = activeState?.updates()
      {
        await journal.committed(active.message, updates: updates)
      }
    }
    return results
  }

  /// Each update by itself, the engine in turns of many.
  private func attemptEach(
    _ updates: [P4_V1_Update], _ state: inout ForwardingState
  ) async -> [P4Error?] {
    var results: [P4Error?] = []
    results.reserveCapacity(updates.count)
    var start = 0
    while start < updates.count {
      let turn = updates[start..<min(start + options.updatesPerTurn, updates.count)]
      start = turn.endIndex
      var changes: [ForwardingState.Change] = []
      var judged: [P4Error?] = []
      for update in turn {
        do throws(P4Error) {
          changes.append(try state.perform(update))
          judged.append(nil)
        } catch {
          judged.append(error)
        }
      }
      guard await realise(changes) != nil else {
        results += judged
        continue
      }
      // The engine refused something of it: find out what, one by one.
      for change in changes.reversed() { state.undo(change) }
      for update in turn { results.append(await attempt(update, &state)) }
    }
    return results
  }

  private func attempt(_ update: P4_V1_Update, _ state: inout ForwardingState) async -> P4Error? {
    let change: ForwardingState.Change
    do throws(P4Error) { change = try state.perform(update) } catch { return error }
    guard let error = await realise([change]) else { return nil }
    state.undo(change)
    return error
  }

  /// All updates, in one step of the data plane, or none.
  private func attemptAll(
    _ updates: [P4_V1_Update], _ state: inout ForwardingState
  ) async -> [P4Error?] {
    var changes: [ForwardingState.Change] = []
    func rollBack(_ failed: Int?, _ error: P4Error) -> [P4Error?] {
      for change in changes.reversed() { state.undo(change) }
      return updates.indices.map { i in
        if failed == nil || i == failed { return error }
        return P4Error(.aborted, "taken back, because another update of the batch failed")
      }
    }
    for (i, update) in updates.enumerated() {
      do throws(P4Error) { changes.append(try state.perform(update)) } catch {
        return rollBack(i, error)
      }
    }
    if let error = await realise(changes) {
      return rollBack(error.code == .unavailable ? nil : await culprit(of: changes), error)
    }
    return updates.map { _ in nil }
  }

  /// The change that the dataplane refuses, of many that it refused together: the last one of
  /// the shortest series that it does not take.
  ///
  /// - Returns: nil if it does not refuse them any more.
  private func culprit(of changes: [ForwardingState.Change]) async -> Int? {
    // Updates are judged in their order, before any takes effect. This one is good for none.
    let none = Update.delete(table: "", key: [])
    func isTaken(_ count: Int) async -> Bool {
      let updates = changes[..<count].flatMap(\.engine) + [none]
      do {
        try await host.withDataplane { try $0.apply(updates) }
        return true
      } catch {
        return (error as? DataplaneError)?.entity == ""
      }
    }
    var taken = 0
    var refused = changes.count
    guard await !isTaken(refused) else { return nil }
    while taken + 1 < refused {
      let middle = (taken + refused) / 2
      if await isTaken(middle) { taken = middle } else { refused = middle }
    }
    return refused - 1
  }

  /// Makes the dataplane follow; the error if it does not, and then nothing has changed.
  private func realise(_ changes: [ForwardingState.Change]) async -> P4Error? {
    let writes = changes.flatMap(\.writes)
    guard saved == nil else {
      for write in writes { savedArrays.take(write) { originalRegisters($0) } }
      return nil
    }
    let updates = changes.flatMap(\.engine)
    guard !updates.isEmpty || !writes.isEmpty else { return nil }
    let now = host.now
    do {
      try await host.withDataplane(applying: updates) { dataplane in
        for write in writes { try write.perform(on: dataplane, at: now) }
      }
      return nil
    } catch let error as DataplaneError {
      return P4Error(error)
    } catch {
      return P4Error(.internal, "\(error)")
    }
  }
}
