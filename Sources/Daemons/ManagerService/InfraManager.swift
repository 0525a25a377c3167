import Core
import Logging
import StateDirectory

/// Brings the node's tables to what agents ask for, and keeps both on disk and in the
/// pipeline what it is.
///
/// Changes that come while others are being written go out together in the next batch.
/// Each is made whole or refused; asking twice is asking once.
public actor InfraManager {
  private struct Waiting {
    var change: Change
    var since: ContinuousClock.Instant
    var done: CheckedContinuation<DataplaneError?, Never>
  }

  private let writer: any TableWriter
  private let journal: ManagerJournal?
  private let logger: Logger
  private var desired: DesiredState
  private var queue: [Waiting] = []
  private var isWorking = false
  private var counted = ManagerActivity()

  /// Changes that are made as one.
  private static let batchLength = 1024

  /// - Parameters:
  ///   - restored: what ``Restored/load(_:logger:)`` gave.
  ///   - writer: has the entries of `restored` already, or knows that it shall.
  public init(_ restored: consuming Restored, writer: any TableWriter, logger: Logger) {
    desired = restored.state
    journal = restored.journal
    self.writer = writer
    self.logger = logger
  }

  /// Makes a change, and returns when packets follow it.
  ///
  /// - Throws: ``DataplaneError``: `invalidArgument` for what cannot be so on this node,
  ///   `resourceExhausted` for a full table, `unavailable` when infrap4d is away for longer
  ///   than its client is patient. The change is not made then.
  public func make(_ change: Change) async throws(DataplaneError) {
    let error = await withCheckedContinuation { done in
      queue.append(Waiting(change: change, since: .now, done: done))
      guard !isWorking else { return }
      isWorking = true
      Task { await work() }
    }
    if let error { throw error }
  }

  /// The interface that has an address.
  public func interface(at address: IPv4Address) -> Intent.Interface? {
    desired.host?.ip == address ? desired.host : desired.pods[address]
  }

  private func work() async {
    while !queue.isEmpty {
      let batch = Array(queue.prefix(Self.batchLength))
      queue.removeFirst(batch.count)
      let error = await perform(batch.map(\.change))
      if error == nil || batch.count == 1 {
        for waiting in batch { finish(waiting, error) }
      } else {
        // One of them is to blame.
        for waiting in batch { finish(waiting, await perform([waiting.change])) }
      }
    }
    isWorking = false
  }

  private func finish(_ waiting: Waiting, _ error: DataplaneError?) {
    let result = ManagerActivity.result(error)
    counted.changes[[waiting.change.kind, result], default: 0] += 1
    counted.changeDuration.observe(.now - waiting.since)
    waiting.done.resume(returning: error)
  }

  /// What is wanted, and how it went so far.
  public func activity() -> ManagerActivity {
    var activity = counted
    activity.queue = queue.count
    activity.hasHost = desired.host != nil
    activity.pods = desired.pods.count
    activity.servicePorts = desired.services.count
    activity.endpoints = desired.services.values.reduce(0) { $0 + $1.count }
    return activity
  }

  private func perform(_ changes: [Change]) async -> DataplaneError? {
    let start = ContinuousClock.now
    defer { counted.reconcileDuration.observe(.now - start) }
    return await take(changes)
  }

  private func take(_ changes: [Change]) async -> DataplaneError? {
    var next = desired
    let updates: [Update]
    do { updates = try next.take(changes) } catch {
      return DataplaneError(.invalidArgument, error.entity, error.message)
    }
    // One after the other: a later one may undo an earlier one.
    let isNew = changes.count > 1 || !changes.allSatisfy(desired.has)
    if isNew { journal?.note(changes, to: desired) }
    do throws(DataplaneError) {
      // Also when there is nothing to write: the reply says that packets follow.
      try await writer.apply(updates)
    } catch {
      if isNew { journal?.undo() }
      counted.updates[[ManagerActivity.result(error)], default: 0] += UInt64(updates.count)
      return error
    }
    counted.updates[["ok"], default: 0] += UInt64(updates.count)
    desired = next
    logger.debug(
      "programmed", metadata: ["changes": "\(changes.count)", "updates": "\(updates.count)"])
    return nil
  }
}

/// Where the manager writes table entries.
public protocol TableWriter: Sendable {
  /// Applies all updates, or none of them.
  func apply(_ updates: [Update]) async throws(DataplaneError)
}

/// What an earlier process of the manager left on disk.
public struct Restored: ~Copyable {
  let state: DesiredState
  let journal: ManagerJournal?

  /// What the tables shall have.
  public var entries: [TableEntry] { state.entries }
  public var pods: Int { state.pods.count }
  public var services: Int { state.services.count }

  /// - Parameter directory: nil keeps nothing.
  public init(_ directory: StateDirectory?, logger: Logger) {
    journal = directory.map { ManagerJournal($0, logger: logger) }
    state = journal?.restore() ?? DesiredState()
  }
}
