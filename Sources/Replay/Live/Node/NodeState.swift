import Core
import InspectionProtos

/// What a node tells of itself.
public struct NodeState: Sendable, Encodable {
  public enum Pipeline: String, Sendable, Encodable {
    case none
    case k8sDP = "k8s_dp"
    case other
  }

  public struct Port: Hashable, Sendable, Encodable {
    public var id: PortID
    public var name: String
    /// The interface's name where it is now; nil when it is gone.
    public var interface: String?
    public var isUp: Bool
    public var framesIn: UInt64 = 0
    public var bytesIn: UInt64 = 0
    public var framesOut: UInt64 = 0
    public var bytesOut: UInt64 = 0
    public var dropped: UInt64 = 0
    public var refused: UInt64 = 0
  }

  public struct Table: Hashable, Sendable, Encodable {
    public var name: String
    public var entries: UInt64
    public var capacity: UInt64
    public var learned: UInt64
    public var learnFailures: UInt64
  }

  public struct Service: Hashable, Sendable, Encodable {
    public var address: ServiceAddress
    public var connections: UInt64
    public var endpoints: UInt64
  }

  /// Nanoseconds since 1970.
  public var time: UInt64
  public var version: String
  public var host: String
  public var engine: String
  public var pipeline: Pipeline
  /// `green`, `amber` or `red`, and why.
  public var health: String
  public var reasons: [String]
  /// By ascending id.
  public var ports: [Port]
  public var tables: [Table]
  /// Frames, by reason.
  public var dropped: [String: UInt64]
  /// Connections, by the timer that runs.
  public var connections: [String: UInt64]
  public var services: [Service]
  /// Address of a pod → its port.
  public var pods: [String: PortID]

  init(_ message: K8sdp_V1_GetStatusResponse) {
    time = message.time
    version = message.version
    host = message.host
    engine = message.engine
    pipeline =
      switch message.pipeline {
      case .none: .none
      case .k8SDp: .k8sDP
      default: .other
      }
    health = message.health
    reasons = message.reasons
    ports = message.ports.map { port in
      Port(
        id: port.id, name: port.name, interface: port.interface.isEmpty ? nil : port.interface,
        isUp: port.isUp, framesIn: port.framesIn, bytesIn: port.bytesIn,
        framesOut: port.framesOut, bytesOut: port.bytesOut,
        dropped: port.dropped.values.reduce(0, +), refused: port.refused)
    }.sorted { $0.id < $1.id }
    tables = message.tables.map { table in
      Table(
        name: table.name, entries: table.entries, capacity: table.capacity,
        learned: table.learned, learnFailures: table.learnFailures)
    }
    dropped = message.dropped
    connections = message.connections
    pods = Dictionary(message.pods.map { ("\(IPv4Address($0.address))", $0.port) }) { first, _ in
      first
    }
    services = message.services.compactMap { service in
      guard let port = UInt16(exactly: service.port) else { return nil }
      let transport: TransportProtocol = service.protocol == "UDP" ? .udp : .tcp
      return Service(
        address: ServiceAddress(IPv4Address(service.address), transport, port),
        connections: service.connections, endpoints: service.endpoints)
    }
  }

  /// How a port is called, for people.
  public func portName(_ id: PortID) -> String {
    ports.first { $0.id == id }?.name ?? "port \(id)"
  }
}
