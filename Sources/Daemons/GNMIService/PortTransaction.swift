import Core
import Hosting
import Logging

/// Carries out a plan, and takes it back when a part of it fails.
///
/// What can fail comes first: new ports. Ports are removed at the end, when nothing can
/// fail any more, because a TAP that is removed is lost to the pod that has it.
struct PortTransaction {
  private let registry: any PortRegistry
  private let logger: Logger
  private let before: [String: PortID]
  private var ids: [String: PortID]
  private var undo: [Undo] = []

  /// Why nothing of the plan has happened.
  struct Failure: Error {
    var cause: GNMIError
    /// Ports that were there before and could not be made again.
    var lost: [String]
  }

  private enum Undo {
    case remove(String)
    case add(PortDescription)
  }

  init(_ registry: any PortRegistry, ids: [String: PortID], logger: Logger) {
    self.registry = registry
    self.logger = logger
    before = ids
    self.ids = ids
  }

  /// - Returns: the ids of all ports afterwards.
  /// - Throws: ``Failure``.
  consuming func run(_ plan: PortPlan) async throws -> [String: PortID] {
    do {
      for port in plan.create { try await add(port) }
      for (old, new) in plan.recreate {
        try await remove(old)
        try await add(new)
      }
      for port in plan.remove { try await remove(port) }
    } catch {
      throw Failure(cause: GNMIError(error), lost: await rollBack())
    }
    return ids
  }

  private mutating func add(_ port: PortDescription) async throws {
    ids[port.name] = try await registry.add(port)
    undo.append(.remove(port.name))
  }

  private mutating func remove(_ port: PortDescription) async throws {
    do { try await registry.remove(port.name) } catch let error as DataplaneError
      where error.code == .notFound
    {
      // It is gone already, as it shall be.
    }
    ids[port.name] = nil
    undo.append(.add(port))
  }

  /// - Returns: the ports that are lost.
  private func rollBack() async -> [String] {
    var lost: [String] = []
    for step in undo.reversed() {
      do {
        switch step {
        case .remove(let name): try await registry.remove(name)
        case .add(var port):
          port.id = before[port.name]
          _ = try await registry.add(port)
        }
      } catch {
        logger.error("a refused Set could not be taken back", metadata: ["reason": "\(error)"])
        if case .add(let port) = step { lost.append(port.name) }
      }
    }
    return lost
  }
}
