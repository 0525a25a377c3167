import Foundation
import GNMIService
import Logging
import StateDirectory

/// What clients have set of interfaces, on disk.
actor InterfaceStore: InterfaceJournal {
  private static let fileName = "interfaces.log"

  private let directory: StateDirectory
  private let log: ListLog<InterfaceConfig>
  private let logger: Logger

  init(_ directory: StateDirectory, logger: Logger) {
    self.directory = directory
    self.logger = logger
    log = ListLog(directory, Self.fileName) { $0.name }
  }

  /// What the last process left.
  func content() -> [InterfaceConfig] {
    do { return try log.read() } catch {
      directory.setAside(Self.fileName, "the list of interfaces is not understood")
      return []
    }
  }

  func save(_ interfaces: [InterfaceConfig]) {
    do { try log.keep(interfaces) } catch {
      logger.error(
        "the interfaces cannot be kept on disk; a restart will not restore all of them",
        metadata: ["reason": "\(error)"])
    }
  }
}
