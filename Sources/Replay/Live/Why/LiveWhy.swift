import Core
import Replay
import Synchronization

/// What questions about packets are answered from, of a running node.
public struct LiveWhy: Sendable {
  private let inspector: NodeInspector

  public init(_ inspector: NodeInspector) { self.inspector = inspector }

  /// Everything that packets between some addresses can meet.
  public func tables(
    about addresses: [IPv4Address], _ names: NodeNames, _ interruption: Interruption
  ) async throws(ReplayError) -> WhyTables {
    let status = try await inspector.k8sDPStatus()
    let collected = Mutex(Collected())
    let stream = SnapshotStream(inspector: inspector, addresses: addresses)
    try await stream.read(interruption) { part in collected.withLock { $0.take(part) } }
    let found = collected.withLock { $0 }
    guard found.isComplete else {
      throw ReplayError(inspector.name, "was ended before all had come")
    }
    let ports = status.ports.map {
      ($0.id, WhyTables.Port(name: $0.name, isThere: $0.interface != nil, isUp: $0.isUp))
    }
    return WhyTables(
      found.snapshot, timers: found.timers,
      ports: Dictionary(ports) { first, _ in first }, names: names)
  }

  private struct Collected {
    var snapshot = StateSnapshot(rows: [])
    var timers: [K8sDP.Timer: UInt32] = [:]
    var isComplete = false

    mutating func take(_ part: SnapshotStream.Part) {
      switch part {
      case .moment(let moment):
        timers = moment.timers
        snapshot.moment = moment.time
        snapshot.learned = StateSnapshot.Learned(
          hertz: moment.hertz, cycles: moment.cycles, entries: [])
      case .rows(let rows): snapshot.rows += rows
      case .learned(let entries): snapshot.learned?.entries += entries
      case .complete: isComplete = true
      case .frames, .change, .end: break
      }
    }
  }
}
