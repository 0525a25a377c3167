import Foundation
import InfraProtos
import Logging
import StateDirectory

/// What Felix has told the manager, and by which connection. Felix tells everything at the
/// beginning of a connection, and then that it is in sync: what no open connection has told is
/// removed then, as Felix has forgotten it while it was away.
actor FelixSync {
  private let forward: @Sendable (Felix_ToDataplane) async throws -> Void
  private let logger: Logger
  /// What the manager may know from an earlier life of this agent; nil remembers nothing.
  private let memory: RecordLog?
  /// What the manager may know, by the message that removes it, and who told it last.
  private var tellers: [Felix_ToDataplane: Int] = [:]
  private var open: Set<Int> = []
  private var count = 0
  /// The latest connection that has told everything.
  private var latest = 0

  private static let file = "felix"
  private static let kind: UInt8 = 1

  init(
    _ directory: StateDirectory?, _ logger: Logger,
    _ forward: @escaping @Sendable (Felix_ToDataplane) async throws -> Void
  ) {
    self.forward = forward
    self.logger = logger
    memory = directory.map { RecordLog($0, Self.file) }
    for record in memory?.read() ?? [] where record.kind == Self.kind {
      let message = try? Felix_ToDataplane(serializedBytes: record.payload)
      if let removal = message?.removal { tellers[removal] = 0 }
    }
  }

  /// - Returns: the number of a new connection.
  func begin() -> Int {
    count += 1
    open.insert(count)
    return count
  }

  /// - Throws: when the manager does not take it.
  func take(_ message: Felix_ToDataplane, from connection: Int) async throws {
    let removal = message.removal
    let before = removal.flatMap { tellers[$0] }
    if let removal, !message.isRemoval {
      if before == nil { remember(removal) }
      tellers[removal] = max(before ?? 0, connection)
    }
    try await forward(message)
    if let removal, message.isRemoval, tellers[removal] == before { tellers[removal] = nil }
    if case .inSync? = message.payload {
      latest = max(latest, connection)
      try await removeTheRest()
    }
  }

  func end(_ connection: Int) async {
    open.remove(connection)
    // What it told while it ended is not in what a later one told.
    guard connection < latest else { return }
    do {
      try await removeTheRest()
    } catch {
      logger.warning("what Felix forgot is not removed yet", metadata: ["reason": "\(error)"])
    }
  }

  private func removeTheRest() async throws {
    let rest = tellers.filter { $0.value < latest && !open.contains($0.value) }
    for (removal, teller) in rest {
      try await forward(removal)
      if tellers[removal] == teller { tellers[removal] = nil }
    }
    if !rest.isEmpty {
      logger.info("removed what Felix has forgotten", metadata: ["count": "\(rest.count)"])
    }
    rewrite()
  }

  // MARK: Memory

  /// Before the manager is told.
  private func remember(_ removal: Felix_ToDataplane) {
    guard let memory else { return }
    do {
      if try memory.append(kind: Self.kind, removal.serializedBytes()) { rewrite() }
    } catch { complain(error) }
  }

  private func rewrite() {
    guard let memory else { return }
    do {
      try memory.replace(
        with: tellers.keys.map { .init(kind: Self.kind, payload: try $0.serializedBytes()) })
    } catch { complain(error) }
  }

  private func complain(_ error: any Error) {
    logger.error("what Felix tells cannot be remembered", metadata: ["reason": "\(error)"])
  }
}
