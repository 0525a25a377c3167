import Core
import InfraProtos
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
    var answers: Answers
    /// Among those that came with it, from 0.
    var index: Int
  }

  /// What came of changes that were asked for together.
  private final class Answers {
    private var errors: [Int: DataplaneError] = [:]
    private var open: Int
    private let done: CheckedContinuation<[Int: DataplaneError], Never>

    init(_ count: Int, _ done: CheckedContinuation<[Int: DataplaneError], Never>) {
      (open, self.done) = (count, done)
    }

    func take(_ error: DataplaneError?, of index: Int) {
      errors[index] = error
      open -= 1
      if open == 0 { done.resume(returning: errors) }
    }
  }

  private let writer: any TableWriter
  private let journal: ManagerJournal?
  private let logger: Logger
  private var desired: DesiredState
  private var policies: PolicyStore
  private var queue: [Waiting] = []
  private var isWorking = false
  /// Whether nothing is known yet of what was wanted before.
  private var isFresh: Bool
  private let pauses: Pauses
  private var expiry: Task<Void, Never>?
  private var rewriting: Task<Void, Never>?
  private var counted = ManagerActivity()

  /// Changes that are made as one.
  private static let batchLength = 1024

  /// How long the manager waits with what is not asked for.
  public struct Pauses: Sendable {
    /// From an agent's first request until what was found in the pipeline, and nobody has asked
    /// for since, is removed. An agent tells all that it knows within seconds.
    public var unclaimed = Duration.seconds(600)
    /// Between two attempts to write to a disk that did not take it.
    public var disk = Duration.seconds(10)
    public init() {}
  }

  /// - Parameters:
  ///   - restored: what an earlier process left.
  ///   - writer: has the entries of `restored` already, or knows that it shall. When there are
  ///     none, it leaves what is in the pipeline.
  public init(
    _ restored: consuming Restored, writer: any TableWriter, pauses: Pauses = Pauses(),
    logger: Logger
  ) {
    desired = restored.content.state ?? DesiredState()
    isFresh = restored.content.state == nil
    policies = restored.content.policies
    journal = restored.journal
    self.writer = writer
    self.pauses = pauses
    self.logger = logger
  }

  deinit {
    expiry?.cancel()
    rewriting?.cancel()
  }

  /// Makes a change, and returns when packets follow it.
  ///
  /// - Throws: ``DataplaneError``: `invalidArgument` for what cannot be so on this node,
  ///   `alreadyExists` for an address that is another interface's, `resourceExhausted` for a
  ///   full table, `unavailable` when infrap4d is away for longer than its client is patient.
  ///   The change is not made then.
  public func make(_ change: Change) async throws(DataplaneError) {
    if let error = await make([change])[0] { throw error }
  }

  /// Makes changes in their order, each as ``make(_:)`` does: one that is refused keeps back none
  /// of the others.
  ///
  /// - Returns: why some were not made, by their index.
  public func make(_ changes: [Change]) async -> [Int: DataplaneError] {
    guard !changes.isEmpty else { return [:] }
    return await withCheckedContinuation { done in
      let answers = Answers(changes.count, done)
      for (index, change) in changes.enumerated() {
        queue.append(Waiting(change: change, since: .now, answers: answers, index: index))
      }
      guard !isWorking else { return }
      isWorking = true
      Task { await work() }
    }
  }

  /// Keeps what Calico says of policies, endpoints and routes.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for a change of what is not there.
  func keep(_ payload: PolicyStore.Payload) throws(DataplaneError) {
    try policies.take(payload)
    journal?.note(.with { $0.payload = payload }, in: content)
    watch()
  }

  private var content: ManagerJournal.Content {
    .init(state: isFresh ? nil : desired, policies: policies)
  }

  private func work() async {
    while !queue.isEmpty {
      let batch = queue.prefix(Self.batchLength)
      queue.removeFirst(batch.count)
      await make(batch)
    }
    isWorking = false
  }

  private func make(_ batch: ArraySlice<Waiting>) async {
    let error = await perform(batch.map(\.change))
    // One of them is to blame, unless nobody can be told of any.
    if let error, batch.count > 1, error.code != .unavailable {
      let middle = batch.startIndex + batch.count / 2
      await make(batch[..<middle])
      await make(batch[middle...])
    } else {
      for waiting in batch { finish(waiting, error) }
    }
  }

  private func finish(_ waiting: Waiting, _ error: DataplaneError?) {
    let result = ManagerActivity.result(error)
    counted.changes[[waiting.change.kind, result], default: 0] += 1
    counted.changeDuration.observe(.now - waiting.since)
    waiting.answers.take(error, of: waiting.index)
  }

  /// What is wanted, and how it went so far.
  public func activity() -> ManagerActivity {
    var activity = counted
    activity.queue = queue.count
    activity.policies = policies.counts
    activity.isKept = journal?.isKept ?? true
    activity.hasHost = desired.host != nil
    activity.pods = desired.pods.count
    activity.servicePorts = desired.services.count
    activity.endpoints = desired.services.values.reduce(0) { $0 + $1.count }
    return activity
  }

  private func perform(_ changes: [Change]) async -> DataplaneError? {
    let start = ContinuousClock.now
    defer {
      counted.reconcileDuration.observe(.now - start)
      watch()
    }
    do throws(DataplaneError) {
      if isFresh { try await resume() }
      try await take(changes)
      return nil
    } catch { return error }
  }

  private func take(_ changes: [Change]) async throws(DataplaneError) {
    var next = desired
    let updates = try next.take(changes)
    // One after the other: a later one may undo an earlier one.
    let isNew = changes.count > 1 || !changes.allSatisfy(desired.has)
    if isNew { journal?.note(changes, to: content) }
    do throws(DataplaneError) {
      // Also when there is nothing to write: the reply says that packets follow.
      try await write(updates)
    } catch {
      if isNew { journal?.undo() }
      throw error
    }
    desired = next
    journal?.settle()
    logger.debug(
      "programmed", metadata: ["changes": "\(changes.count)", "updates": "\(updates.count)"])
  }

  /// Takes what is in the pipeline for what was wanted. Connections that an earlier process made
  /// possible go on, and none of their numbers is given to another endpoint.
  private func resume() async throws(DataplaneError) {
    var programmed = try await writer.programmed()
    let gateway = InfraAgentService.gatewayAddress
    let state: DesiredState
    do throws(DataplaneError) {
      state = try DesiredState(resuming: programmed, gateway: gateway)
    } catch {
      logger.error("the pipeline has what cannot be", metadata: ["reason": "\(error)"])
      programmed.forgetIntent()
      state = try DesiredState(resuming: programmed, gateway: gateway)
    }
    try await write(programmed.updates(to: state.entries))
    desired = state
    isFresh = false
    journal?.keep(content)
    guard state.hasUnclaimed else { return }
    logger.notice(
      "took over what the pipeline has",
      metadata: ["pods": "\(state.pods.count)", "services": "\(state.services.count)"])
  }

  private func write(_ updates: [Update]) async throws(DataplaneError) {
    do throws(DataplaneError) { try await writer.apply(updates) } catch {
      counted.updates[[ManagerActivity.result(error)], default: 0] += UInt64(updates.count)
      throw error
    }
    counted.updates[["ok"], default: 0] += UInt64(updates.count)
  }

  /// Sees to what is not to stay as it is.
  private func watch() {
    if desired.hasUnclaimed, expiry == nil {
      expiry = Task { [weak self, pauses] in
        repeat {
          try? await Task.sleep(for: pauses.unclaimed)
        } while await self?.removeUnclaimed() == false
      }
    }
    if journal?.isKept == false, rewriting == nil {
      rewriting = Task { [weak self, pauses] in
        repeat {
          try? await Task.sleep(for: pauses.disk)
        } while await self?.rewrite() == false
      }
    }
  }

  /// - Returns: whether they are gone.
  private func removeUnclaimed() async -> Bool {
    guard !Task.isCancelled else { return true }
    do throws(DataplaneError) { try await make(.removeUnclaimed) } catch { return false }
    return true
  }

  /// - Returns: whether the disk has what is wanted.
  private func rewrite() -> Bool {
    guard !Task.isCancelled, let journal else { return true }
    if !journal.isKept { journal.keep(content) }
    if journal.isKept { rewriting = nil }
    return journal.isKept
  }
}

/// Where the manager writes table entries.
public protocol TableWriter: Sendable {
  /// Applies all updates, or none of them.
  func apply(_ updates: [Update]) async throws(DataplaneError)
  /// What is in the tables, and what the pipeline has learned.
  func programmed() async throws(DataplaneError) -> ProgrammedState
}

/// What an earlier process of the manager left on disk.
public struct Restored: ~Copyable {
  let content: ManagerJournal.Content
  let journal: ManagerJournal?

  /// What the tables shall have; nil when nothing is known.
  public var entries: [TableEntry]? { content.state?.entries }
  public var pods: Int { content.state?.pods.count ?? 0 }
  public var services: Int { content.state?.services.count ?? 0 }

  /// - Parameter directory: nil keeps nothing.
  public init(_ directory: StateDirectory?, logger: Logger) {
    journal = directory.map { ManagerJournal($0, logger: logger) }
    content = journal?.restore() ?? .init()
  }
}
