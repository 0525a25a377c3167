import Foundation
import Logging
import P4RuntimeProtos
import P4RuntimeService
import StateDirectory
import SwiftProtobuf

/// The pipeline and its entries on disk: a log of what controllers did.
actor PipelineStore: PipelineJournal {
  private enum Kind {
    static let config: UInt8 = 1
    static let updates: UInt8 = 2
  }

  static let fileName = "pipeline.log"
  /// Updates in one record, so that no record is very long.
  private static let updatesPerRecord = 4096
  /// Updates in the log beyond twice those that the state needs. A start reads so many for
  /// nothing at most, in a second or so.
  private static let spareUpdates = 65_536

  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger
  /// Updates in the log.
  private var logged = 0
  /// Said once, not for every update.
  private var isFailing = false

  init(_ directory: StateDirectory, logger: Logger) {
    self.directory = directory
    self.logger = logger
    log = RecordLog(directory, Self.fileName)
  }

  struct Content: Sendable {
    var config: P4_V1_ForwardingPipelineConfig
    var updates: [P4_V1_Update]
  }

  /// What the last process left, or nil.
  func content() -> Content? {
    var content: Content?
    do {
      for record in log.read() {
        switch record.kind {
        case Kind.config:
          content = Content(
            config: try P4_V1_ForwardingPipelineConfig(serializedBytes: record.payload),
            updates: [])
        case Kind.updates:
          content?.updates += try P4_V1_WriteRequest(serializedBytes: record.payload).updates
          logged = content?.updates.count ?? 0
        default:
          directory.setAside(Self.fileName, "a record of kind \(record.kind) is not known")
          return nil
        }
      }
    } catch {
      directory.setAside(Self.fileName, "a record is no message: \(error)")
      return nil
    }
    return content
  }

  nonisolated var path: String { directory.path + "/" + Self.fileName }

  /// The content does not fit together.
  func setAside(_ why: String) { directory.setAside(Self.fileName, why) }

  func committed(_ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update]) {
    do {
      var records = [RecordLog.Record(kind: Kind.config, payload: try config.serializedBytes())]
      for payload in try Self.payloads(updates) {
        records.append(RecordLog.Record(kind: Kind.updates, payload: payload))
      }
      try log.replace(with: records)
      logged = updates.count
      if isFailing { logger.notice("the pipeline's state can be kept on disk again") }
      isFailing = false
    } catch {
      report(error)
    }
  }

  func applied(_ updates: [P4_V1_Update], encoded: Data?, entries: Int) -> Bool {
    do {
      for payload in try encoded.map({ [$0] }) ?? Self.payloads(updates) {
        _ = try log.append(kind: Kind.updates, payload)
      }
      logged += updates.count
      return log.isIncomplete || logged > 2 * entries + Self.spareUpdates
    } catch {
      // Updates are missing in the log: it takes no more until it has everything again.
      report(error)
      return true
    }
  }

  private static func payloads(_ updates: [P4_V1_Update]) throws -> [Data] {
    try stride(from: 0, to: updates.count, by: updatesPerRecord).map { start in
      let end = min(start + updatesPerRecord, updates.count)
      return try P4_V1_WriteRequest.with { $0.updates = Array(updates[start..<end]) }
        .serializedBytes()
    }
  }

  private func report(_ error: any Error) {
    if !isFailing {
      logger.error(
        "the pipeline's state cannot be kept on disk; a restart goes back to what was kept before",
        metadata: ["reason": "\(error)"])
    }
    isFailing = true
  }
}
