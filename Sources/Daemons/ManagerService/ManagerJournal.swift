import Core
import Foundation
import InfraProtos
import Logging
import StateDirectory

/// The desired state and Calico's policies on disk: a snapshot, and the changes since then. A
/// change is written before it is made, and taken back when it could not be made.
///
/// Where it cannot be written there is no file: a start without one takes what the pipeline
/// has, which is better than what was wanted some time ago.
final class ManagerJournal {
  private enum Kind {
    static let snapshot: UInt8 = 1
    static let changes: UInt8 = 2
    /// The changes before it were not made.
    static let undo: UInt8 = 3
    /// A message of Calico, in protobuf.
    static let policy: UInt8 = 4
  }

  /// What is kept.
  struct Content {
    /// Without changes that are under way; nil as long as nothing is known.
    var state: DesiredState?
    var policies = PolicyStore()
  }

  static let fileName = "manager.log"

  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger
  /// Whether the disk has what is wanted.
  private(set) var isKept = true
  /// Changes that are made now.
  private var underWay: [Change] = []

  init(_ directory: StateDirectory, logger: Logger) {
    self.directory = directory
    self.logger = logger
    log = RecordLog(directory, Self.fileName)
  }

  /// What the last process left.
  func restore() -> Content {
    let decoder = JSONDecoder()
    var content = Content()
    var pending: [Change] = []
    func settle() throws {
      guard !pending.isEmpty else { return }
      var state = content.state ?? DesiredState()
      _ = try state.take(pending)
      content.state = state
      pending = []
    }
    do {
      for record in log.read() {
        switch record.kind {
        case Kind.snapshot:
          content.state = try decoder.decode(DesiredState.self, from: record.payload)
          pending = []
        case Kind.changes:
          try settle()
          pending = try decoder.decode([Change].self, from: record.payload)
        case Kind.undo: pending = []
        case Kind.policy:
          let message = try Felix_ToDataplane(serializedBytes: record.payload)
          if let payload = message.payload { try content.policies.take(payload) }
        default:
          directory.setAside(Self.fileName, "a record of kind \(record.kind) is not known")
          return Content()
        }
      }
      try settle()
    } catch {
      directory.setAside(Self.fileName, "a record does not fit: \(error)")
      return Content()
    }
    return content
  }

  /// Changes are made from now on, until ``settle()`` or ``undo()``.
  func note(_ changes: [Change], to content: Content) {
    underWay = changes
    attempt {
      if try log.append(kind: Kind.changes, JSONEncoder().encode(changes)) { try write(content) }
    }
  }

  /// The changes were made.
  func settle() { underWay = [] }

  /// The changes were not made.
  func undo() {
    underWay = []
    // What was not noted needs no taking back.
    guard isKept else { return }
    attempt { _ = try log.append(kind: Kind.undo, Data()) }
  }

  /// - Parameter content: with what the message says.
  func note(_ message: Felix_ToDataplane, in content: Content) {
    attempt {
      if try log.append(kind: Kind.policy, message.serializedData()) { try write(content) }
    }
  }

  /// Writes all of it.
  func keep(_ content: Content) { attempt { try write(content) } }

  private func write(_ content: Content) throws {
    var records: [RecordLog.Record] = []
    if let state = content.state {
      records.append(.init(kind: Kind.snapshot, payload: try JSONEncoder().encode(state)))
    }
    for message in content.policies.messages {
      records.append(.init(kind: Kind.policy, payload: try message.serializedData()))
    }
    if !underWay.isEmpty {
      records.append(.init(kind: Kind.changes, payload: try JSONEncoder().encode(underWay)))
    }
    try log.replace(with: records)
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
      if !isKept { logger.notice("the desired state can be kept on disk again") }
      isKept = true
    } catch {
      // Said once, not for every change.
      if isKept {
        logger.error(
          "the desired state cannot be kept on disk; changes are made all the same",
          metadata: ["reason": "\(error)"])
      }
      isKept = false
      _ = unlink(directory.path + "/" + Self.fileName)
    }
  }
}
