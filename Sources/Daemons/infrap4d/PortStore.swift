import Core
import Foundation
import Hosting
import Logging
import StateDirectory

/// The ports, with the ids they have, on disk: a registry that remembers.
///
/// A port is written down when it is made, before its maker hears of it, and taken
/// out when it is removed. Where a TAP was moved to is looked up once a second.
actor PortStore: PortRegistry {
  private static let fileName = "ports.log"

  private let registry: any PortRegistry
  private let directory: StateDirectory?
  private let log: ListLog<PortDescription>?
  private let logger: Logger
  private var known: [PortDescription] = []

  /// - Parameter directory: nil remembers nothing.
  init(_ registry: any PortRegistry, _ directory: StateDirectory?, logger: Logger) {
    self.registry = registry
    self.directory = directory
    self.logger = logger
    log = directory.map { ListLog($0, Self.fileName) { $0.name } }
  }

  /// Makes the ports of the last process again, with their ids: a TAP is taken over
  /// where it is, or made anew when it is gone. One that was made in a pod goes with its pod.
  /// A port that cannot be made is reported and forgotten.
  func restore() async {
    guard let log else { return }
    let ports: [PortDescription]
    do { ports = try log.read() } catch {
      directory?.setAside(Self.fileName, "the list of ports is not understood")
      return
    }
    for port in ports {
      do {
        known.append(try await remake(port))
        logger.info(
          "port restored", metadata: ["port": "\(port.name)", "id": "\(port.id ?? 0)"])
      } catch let error as DataplaneError where error.code == .notFound && port.place != nil {
        logger.notice("a port has gone with its pod", metadata: ["port": "\(port.name)"])
      } catch {
        logger.error(
          "port cannot be restored", metadata: ["port": "\(port.name)", "reason": "\(error)"])
      }
    }
    keep()
  }

  private func remake(_ port: PortDescription) async throws -> PortDescription {
    do {
      _ = try await registry.add(port)
      return port
    } catch let error as DataplaneError
      where error.code == .notFound && port.location != nil && port.place == nil
    {
      logger.warning(
        "the interface is gone with its namespace; making it again",
        metadata: ["port": "\(port.name)"])
      var port = port
      port.location = nil
      _ = try await registry.add(port)
      return port
    }
  }

  /// Writes down where TAPs are, until the task is cancelled.
  func follow() async {
    while !Task.isCancelled {
      await noteLocations()
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Writes down where TAPs are now.
  func noteLocations() async {
    let locations = await registry.locations()
    let here = Self.namespace()
    var isChanged = false
    // An interface that is gone is left where it was last.
    for index in known.indices {
      guard let location = locations[known[index].name] else { continue }
      let isHome = location == InterfaceLocation(name: known[index].name, namespace: here)
      let moved = isHome ? nil : location
      guard known[index].location != moved else { continue }
      known[index].location = moved
      isChanged = true
    }
    if isChanged { keep() }
  }

  /// The inode number of a network namespace, that of this process unless told.
  private static func namespace(_ path: String = "/proc/self/ns/net") -> UInt64 {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
  }

  func add(_ port: PortDescription) async throws -> PortID {
    let id = try await registry.add(port)
    var port = port
    port.id = id
    port.location = port.place.map {
      InterfaceLocation(name: $0.name, namespace: Self.namespace($0.netns))
    }
    known.append(port)
    keep()
    logger.info("port added", metadata: ["port": "\(port.name)", "id": "\(id)"])
    return id
  }

  func remove(_ name: String) async throws {
    try await registry.remove(name)
    known.removeAll { $0.name == name }
    keep()
    logger.info("port removed", metadata: ["port": "\(name)"])
  }

  func ports() async -> [PortStatus] { await registry.ports() }

  func locations() async -> [String: InterfaceLocation] { await registry.locations() }

  private func keep() {
    // A crash of the machine ends all TAPs, too.
    do { try log?.keep(known) } catch {
      logger.error(
        "the ports cannot be kept on disk; a restart will not restore them",
        metadata: ["reason": "\(error)"])
    }
  }
}
