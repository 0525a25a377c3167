import Core
import Replay

/// What changed on a node between two looks, a second.
public struct TopReport: Hashable, Sendable, Encodable {
  public struct Port: Hashable, Sendable, Encodable {
    public var id: PortID
    public var name: String
    public var interface: String?
    public var isUp: Bool
    /// The pod on it, if it has a name.
    public var pod: String?
    public var framesIn: Double
    public var bitsIn: Double
    public var framesOut: Double
    public var bitsOut: Double
    public var dropped: Double
    public var refused: Double

    var total: Double { bitsIn + bitsOut }

    enum CodingKeys: String, CodingKey {
      case id, name, interface, pod
      case isUp = "up"
      case framesIn = "frames_in_per_second"
      case bitsIn = "bits_in_per_second"
      case framesOut = "frames_out_per_second"
      case bitsOut = "bits_out_per_second"
      case dropped = "dropped_per_second"
      case refused = "refused_per_second"
    }
  }

  public struct Drop: Hashable, Sendable, Encodable {
    public var reason: String
    public var rate: Double
    public var total: UInt64

    enum CodingKeys: String, CodingKey {
      case reason, total
      case rate = "per_second"
    }
  }

  public struct Table: Hashable, Sendable, Encodable {
    public var name: String
    public var entries: UInt64
    public var capacity: UInt64
  }

  public struct Service: Hashable, Sendable, Encodable {
    public var address: String
    public var name: String?
    public var connections: UInt64
    public var endpoints: UInt64
  }

  /// Seconds since 1970 with nine decimals.
  public var time: String
  public var host: String
  public var engine: String
  public var version: String
  public var health: String
  public var reasons: [String]
  /// Those with the most traffic first.
  public var ports: [Port]
  /// Those with the most frames now first.
  public var drops: [Drop]
  public var tables: [Table]
  public var connections: [String: UInt64]
  public var learned: Double
  public var learnFailures: Double
  public var services: [Service]

  enum CodingKeys: String, CodingKey {
    case time, host, engine, version, health, reasons, ports, tables, connections, services
    case drops = "dropped"
    case learned = "learned_per_second"
    case learnFailures = "learn_failures_per_second"
  }

  public init(_ now: NodeState, since before: NodeState, _ names: NodeNames) {
    let seconds = max(1e-3, Double(now.time) / 1e9 - Double(before.time) / 1e9)
    // Counters begin anew with a port, a pipeline or the daemon.
    func rate(_ new: UInt64, _ old: UInt64) -> Double {
      new >= old ? Double(new - old) / seconds : 0
    }
    time = ClockTime(now.time).seconds
    host = now.host
    engine = now.engine
    version = now.version
    health = now.health
    reasons = now.reasons
    let pods = Dictionary(
      now.pods.compactMap { address, port in
        IPv4Address(address).flatMap(names.pod).map { (port, $0) }
      }
    ) { first, _ in first }
    let old = Dictionary(before.ports.map { ($0.id, $0) }) { first, _ in first }
    ports = now.ports.map { port in
      let old = old[port.id] ?? port
      return Port(
        id: port.id, name: port.name, interface: port.interface, isUp: port.isUp,
        pod: pods[port.id], framesIn: rate(port.framesIn, old.framesIn),
        bitsIn: 8 * rate(port.bytesIn, old.bytesIn),
        framesOut: rate(port.framesOut, old.framesOut),
        bitsOut: 8 * rate(port.bytesOut, old.bytesOut), dropped: rate(port.dropped, old.dropped),
        refused: rate(port.refused, old.refused))
    }.sorted { ($1.total, $0.id) < ($0.total, $1.id) }
    drops = now.dropped.map { reason, total in
      Drop(reason: reason, rate: rate(total, before.dropped[reason] ?? 0), total: total)
    }.sorted { ($1.rate, $1.total, $0.reason) < ($0.rate, $0.total, $1.reason) }
    tables = now.tables.map {
      Table(name: $0.name, entries: $0.entries, capacity: $0.capacity)
    }
    connections = now.connections
    func sum(_ state: NodeState, _ part: KeyPath<NodeState.Table, UInt64>) -> UInt64 {
      state.tables.reduce(0) { $0 &+ $1[keyPath: part] }
    }
    learned = rate(sum(now, \.learned), sum(before, \.learned))
    learnFailures = rate(sum(now, \.learnFailures), sum(before, \.learnFailures))
    services = now.services.map { service in
      Service(
        address: service.address.description, name: names.service(service.address),
        connections: service.connections, endpoints: service.endpoints)
    }
  }
}
