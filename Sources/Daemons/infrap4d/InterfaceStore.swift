import Foundation
import GNMIService
import Logging
import StateDirectory

/// What clients have set of interfaces, on disk.
actor InterfaceStore: InterfaceJournal {
  private static let fileName = "interfaces.log"
  private static let kind: UInt8 = 1

  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger

  init(_ directory: StateDirectory, logger: Logger) {
    self.directory = directory
    self.logger = logger
    log = RecordLog(directory, Self.fileName)
  }

  /// What the last process left.
  func content() -> [InterfaceConfig] {
    guard let record = log.read().last else { return [] }
    do { return try JSONDecoder().decode([InterfaceConfig].self, from: record.payload) } catch {
      directory.setAside(Self.fileName, "the list of interfaces is not understood")
      return []
    }
  }

  func save(_ interfaces: [InterfaceConfig]) {
    do {
      let payload = try JSONEncoder().encode(interfaces)
      // As of the ports.
      try log.replace(
        with: [RecordLog.Record(kind: Self.kind, payload: payload)], isDurable: false)
    } catch {
      logger.error(
        "the interfaces cannot be kept on disk; a restart will not restore all of them",
        metadata: ["reason": "\(error)"])
    }
  }
}
