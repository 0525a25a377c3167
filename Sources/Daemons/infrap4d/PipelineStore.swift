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

  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger
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

  /// The content does not fit together.
  func setAside(_ why: String) { directory.setAside(Self.fileName, why) }

  func committed(_ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update]) {
    attempt {
      var records = [RecordLog.Record(kind: Kind.config, payload: try config.serializedBytes())]
      for payload in try Self.payloads(updates) {
        records.append(RecordLog.Record(kind: Kind.updates, payload: payload))
      }
      try log.replace(with: records)
    }
  }

  func applied(_ updates: [P4_V1_Update]) -> Bool {
    var isLong = false
    attempt {
      for payload in try Self.payloads(updates) {
        isLong = try log.append(kind: Kind.updates, payload) || isLong
      }
    }
    return isLong
  }

  private static func payloads(_ updates: [P4_V1_Update]) throws -> [Data] {
    try stride(from: 0, to: updates.count, by: updatesPerRecord).map { start in
      let end = min(start + updatesPerRecord, updates.count)
      return try P4_V1_WriteRequest.with { $0.updates = Array(updates[start..<end]) }
        .serializedBytes()
    }
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
      if isFailing { logger.notice("the pipeline's state can be kept on disk again") }
      isFailing = false
    } catch {
      if !isFailing {
        logger.error(
          "the pipeline's state cannot be kept on disk; a restart will not restore it",
          metadata: ["reason": "\(error)"])
      }
      isFailing = true
    }
  }
}
