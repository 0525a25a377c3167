import Core
import Foundation
import Metrics

/// `/status.json`: what the page shows.
struct NodeStatus: Encodable, Sendable {
  struct Port: Encodable, Sendable {
    var id: PortID
    var name: String
    /// Its name where it is now, in a pod such as `eth0`; empty when it is gone.
    var interface: String
    var isUp: Bool
    var mac: String
    var framesIn: UInt64
    var bytesIn: UInt64
    var framesOut: UInt64
    var bytesOut: UInt64
    var dropped: UInt64
    var refused: UInt64
    var errors: UInt64
  }

  struct Drop: Encodable, Sendable {
    var reason: String
    var meaning: String
    var frames: UInt64
  }

  struct Pod: Encodable, Sendable {
    var address: String
    var mac: String
    var port: String
  }

  struct Endpoint: Encodable, Sendable {
    var address: String
    var kind: String
  }

  struct Service: Encodable, Sendable {
    var address: String
    var transport: String
    var connections: Int
    var endpoints: [Endpoint]
    var endpointCount: Int
  }

  struct Connections: Encodable, Sendable {
    var state: String
    var count: Int
  }

  /// Milliseconds since 1970.
  var time: Int64
  var version = Release.version
  var engine: String
  var host: String
  var health: NodeHealth
  /// How the node's agent is: `not asked`, `never seen`, `well`, `unwell` or `silent`.
  var agent: String
  var streams: Int
  var ports: [Port]
  var drops: [Drop]
  var tables: [NodeSnapshot.TableFill]
  var connections: [Connections]
  var learned: UInt64
  var learnFailures: UInt64
  var pods: [Pod]
  var podCount: Int
  var services: [Service]
  var serviceCount: Int

  init(
    _ node: NodeSnapshot, _ outline: NodeOutline, health: NodeHealth,
    agent: AgentWatch.Standing, engine: String
  ) {
    time = Int64(node.date.timeIntervalSince1970 * 1000)
    self.engine = engine
    host = ProcessInfo.processInfo.hostName
    self.health = health
    self.agent = agent.name
    streams = node.control.streams
    let names = Dictionary(node.ports.map { ($0.id, $0.description.name) }) { first, _ in first }
    ports = node.ports.map { port in
      let counters = port.counters
      return Port(
        id: port.id, name: port.description.name, interface: port.location?.name ?? "",
        isUp: port.isUp, mac: port.macAddress?.description ?? "", framesIn: counters.framesIn,
        bytesIn: counters.bytesIn, framesOut: counters.framesOut, bytesOut: counters.bytesOut,
        dropped: counters.dropped.values.reduce(0, +), refused: counters.refused,
        errors: counters.errorsIn + counters.errorsOut)
    }
    // By port, because frames without a pipeline are counted there only.
    var dropped: [String: UInt64] = [:]
    for port in node.ports { dropped.merge(port.counters.dropped, uniquingKeysWith: +) }
    drops = DropReason.allCases.compactMap { reason in
      dropped[reason.name].map {
        Drop(reason: reason.name, meaning: reason.meaning, frames: $0)
      }
    }.sorted { $0.frames > $1.frames }
    tables = node.tables
    connections = K8sDP.Timer.allCases.compactMap { timer in
      node.flows?.connections[timer].map { Connections(state: timer.name, count: $0) }
    }
    let learners = node.pipeline?.counters.learners.values.map(\.self) ?? []
    learned = learners.reduce(0) { $0 + $1.learned }
    learnFailures = learners.reduce(0) { $0 + $1.learnFailed }
    pods = outline.pods.map {
      Pod(
        address: "\($0.address)", mac: "\($0.mac)", port: names[$0.port] ?? "\($0.port)")
    }
    podCount = outline.podCount
    services = outline.services.map { service in
      Service(
        address: "\(service.target.address):\(service.target.port)",
        transport: service.target.transport, connections: node.flows?.targets[service.target] ?? 0,
        endpoints: service.endpoints.map {
          Endpoint(address: "\($0.address):\($0.port)", kind: $0.kind.rawValue)
        }, endpointCount: service.endpointCount)
    }
    serviceCount = outline.serviceCount
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Numbers, text and lists of them are always encoded.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
