import Core
import P4RuntimeService

/// The pods and Services that the entries of k8s_dp describe, as many as a page can show.
struct NodeOutline: Sendable {
  struct Pod: Sendable {
    var address: IPv4Address
    var port: PortID
    var mac: MACAddress
  }

  struct Endpoint: Hashable, Sendable {
    enum Kind: String, Sendable {
      /// On this node.
      case local
      /// On this node, taking no new connections.
      case draining
      /// Reached through the host.
      case remote
    }

    var address: IPv4Address
    var port: UInt16
    var kind: Kind
  }

  struct Service: Sendable {
    var target: FlowCensus.Target
    var endpoints: [Endpoint]
    /// Also of those that are left out.
    var endpointCount: Int
  }

  var pods: [Pod] = []
  var podCount = 0
  var services: [Service] = []
  var serviceCount = 0

  private static let shownPods = 256
  private static let shownServices = 100
  private static let shownEndpoints = 24
  /// Slots are looked up one by one: a Service may have very many.
  private static let lookedUpSlots = 1024

  init() {}

  /// - Parameter connections: the Services with the most come first.
  init(_ rows: RowView, connections: [FlowCensus.Target: Int]) {
    for row in rows.entries(of: K8sDP.Table.routes.name)
    where row.action == "route_hop" && row.key.count == 1 && row.arguments.count == 3 {
      // The gateway and the host are no pods.
      guard row.arguments[0] > UInt64(K8sDP.hostPort) else { continue }
      podCount += 1
      pods.append(
        Pod(
          address: IPv4Address(UInt32(truncatingIfNeeded: row.key[0])),
          port: PortID(truncatingIfNeeded: row.arguments[0]), mac: MACAddress(row.arguments[1])))
    }
    pods.sort { ($0.port, $0.address) < ($1.port, $1.address) }
    pods = Array(pods.prefix(Self.shownPods))

    var found: [(target: FlowCensus.Target, id: UInt64, slots: UInt64)] = []
    for row in rows.entries(of: K8sDP.Table.services.name)
    where row.key.count == 3 && row.arguments.count == 2 {
      let target = FlowCensus.Target(
        address: IPv4Address(UInt32(truncatingIfNeeded: row.key[0])),
        port: UInt16(truncatingIfNeeded: row.key[1]),
        transport: row.key[2] == UInt64(TransportProtocol.udp.rawValue) ? "UDP" : "TCP")
      found.append((target, row.arguments[0], row.arguments[1] + 1))
    }
    serviceCount = found.count
    found.sort {
      let (a, b) = (connections[$0.target] ?? 0, connections[$1.target] ?? 0)
      return a != b
        ? a > b : ($0.target.address, $0.target.port) < ($1.target.address, $1.target.port)
    }
    for (target, id, slots) in found.prefix(Self.shownServices) {
      let endpoints = Self.endpoints(rows, service: id, slots: slots)
      services.append(
        Service(
          target: target,
          endpoints: Array(endpoints.prefix(Self.shownEndpoints)),
          endpointCount: endpoints.count))
    }
  }

  private static func endpoints(
    _ rows: RowView, service: UInt64, slots: UInt64
  ) -> [Endpoint] {
    var ids: Set<UInt32> = []
    for number in 0..<min(slots, UInt64(lookedUpSlots)) / UInt64(K8sDP.slotsPerRow) {
      let row = rows.entry(of: K8sDP.Table.slots.name, key: [service, number])
      if let row { ids.formUnion(K8sDP.slots(in: row).map(\.endpoint)) }
    }
    let endpoints = ids.compactMap { id -> Endpoint? in
      guard let row = rows.entry(of: K8sDP.Table.endpoints.name, key: [UInt64(id)]),
        row.arguments.count >= 2
      else { return nil }
      let kind: Endpoint.Kind =
        switch row.action {
        case "endpoint_hop": .local
        case "endpoint_drain": .draining
        default: .remote
        }
      return Endpoint(
        address: IPv4Address(UInt32(truncatingIfNeeded: row.arguments[0])),
        port: UInt16(truncatingIfNeeded: row.arguments[1]), kind: kind)
    }
    return Set(endpoints).sorted { ($0.address, $0.port) < ($1.address, $1.port) }
  }
}
