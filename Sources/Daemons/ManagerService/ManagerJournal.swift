import Core
import Foundation
import Logging
import StateDirectory

/// The desired state on disk: a snapshot, and the changes since then. A change is written
/// before it is made, and taken back when it could not be made.
final class ManagerJournal {
  private enum Kind {
    static let snapshot: UInt8 = 1
    static let changes: UInt8 = 2
    /// The changes before it were not made.
    static let undo: UInt8 = 3
  }

  static let fileName = "manager.log"

  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger
  /// Said once, not for every change.
  private var isFailing = false

  init(_ directory: StateDirectory, logger: Logger) {
    self.directory = directory
    self.logger = logger
    log = RecordLog(directory, Self.fileName)
  }

  /// What the last process left.
  func restore() -> DesiredState {
    let decoder = JSONDecoder()
    var state = DesiredState()
    var pending: [Change] = []
    func settle() throws {
      if !pending.isEmpty { _ = try state.take(pending) }
      pending = []
    }
    do {
      for record in log.read() {
        switch record.kind {
        case Kind.snapshot:
          state = try decoder.decode(DesiredState.self, from: record.payload)
          pending = []
        case Kind.changes:
          try settle()
          pending = try decoder.decode([Change].self, from: record.payload)
        case Kind.undo: pending = []
        default:
          directory.setAside(Self.fileName, "a record of kind \(record.kind) is not known")
          return DesiredState()
        }
      }
      try settle()
    } catch {
      directory.setAside(Self.fileName, "a record does not fit: \(error)")
      return DesiredState()
    }
    return state
  }

  /// - Parameter state: without the changes.
  func note(_ changes: [Change], to state: DesiredState) {
    attempt {
      let payload = try JSONEncoder().encode(changes)
      if try log.append(kind: Kind.changes, payload) {
        let snapshot = try JSONEncoder().encode(state)
        try log.replace(with: [
          .init(kind: Kind.snapshot, payload: snapshot),
          .init(kind: Kind.changes, payload: payload),
        ])
      }
    }
  }

  func undo() { attempt { _ = try log.append(kind: Kind.undo, Data()) } }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
      if isFailing { logger.notice("the desired state can be kept on disk again") }
      isFailing = false
    } catch {
      if !isFailing {
        logger.error(
          "the desired state cannot be kept on disk; a restart will not restore it",
          metadata: ["reason": "\(error)"])
      }
      isFailing = true
    }
  }
}
