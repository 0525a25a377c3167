import Core
import Foundation
import Hosting
import Logging
import StateDirectory

/// The ports, with the ids they have, on disk: a registry that remembers.
///
/// A port is written down when it is made, before its maker hears of it, and taken
/// out when it is removed.
actor PortStore: PortRegistry {
  private static let fileName = "ports.log"
  private static let kind: UInt8 = 1

  private let registry: any PortRegistry
  private let directory: StateDirectory?
  private let log: RecordLog?
  private let logger: Logger
  private var known: [PortDescription] = []

  /// - Parameter directory: nil remembers nothing.
  init(_ registry: any PortRegistry, _ directory: StateDirectory?, logger: Logger) {
    self.registry = registry
    self.directory = directory
    self.logger = logger
    log = directory.map { RecordLog($0, Self.fileName) }
  }

  /// Makes the ports of the last process again; one that cannot be made is reported
  /// and forgotten.
  func restore() async {
    guard let record = log?.read().last else { return }
    let ports: [PortDescription]
    do { ports = try JSONDecoder().decode([PortDescription].self, from: record.payload) } catch {
      directory?.setAside(Self.fileName, "the list of ports is not understood")
      return
    }
    for port in ports {
      do {
        _ = try await registry.add(port)
        known.append(port)
        logger.info(
          "port restored", metadata: ["port": "\(port.name)", "id": "\(port.id ?? 0)"])
      } catch {
        logger.error(
          "port cannot be restored", metadata: ["port": "\(port.name)", "reason": "\(error)"])
      }
    }
    save()
  }

  func add(_ port: PortDescription) async throws -> PortID {
    let id = try await registry.add(port)
    var port = port
    port.id = id
    known.append(port)
    save()
    logger.info("port added", metadata: ["port": "\(port.name)", "id": "\(id)"])
    return id
  }

  func remove(_ name: String) async throws {
    try await registry.remove(name)
    known.removeAll { $0.name == name }
    save()
    logger.info("port removed", metadata: ["port": "\(name)"])
  }

  func ports() async -> [PortStatus] { await registry.ports() }

  private func save() {
    guard let log else { return }
    do {
      let payload = try JSONEncoder().encode(known)
      try log.replace(with: [RecordLog.Record(kind: Self.kind, payload: payload)])
    } catch {
      logger.error(
        "the ports cannot be kept on disk; a restart will not restore them",
        metadata: ["reason": "\(error)"])
    }
  }
}
