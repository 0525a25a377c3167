import Core

/// What a state file holds, for `k8sdp check`.
public struct StateListing: Hashable, Sendable, Encodable {
  struct Interface: Hashable, Sendable, Encodable {
    var name: String
    var ip: String
    var mac: String
    var port: PortID

    init(_ interface: Intent.Interface) {
      name = interface.name
      ip = interface.ip.description
      mac = interface.mac.description
      port = interface.port
    }
  }

  struct Endpoint: Hashable, Sendable, Encodable {
    var address: String
    var port: UInt16
    var weight: UInt32
    /// The pod, host or gateway of that address, or nil when it is on another node.
    var name: String?
  }

  struct ServicePort: Hashable, Sendable, Encodable {
    var transport: String
    var port: UInt16
    var endpoints: [Endpoint]

    enum CodingKeys: String, CodingKey {
      case transport = "protocol"
      case port, endpoints
    }
  }

  struct Service: Hashable, Sendable, Encodable {
    var name: String
    var clusterIP: String
    var ports: [ServicePort]
  }

  var file: String
  var gateway: Interface?
  var host: Interface?
  var pods: [Interface]
  var services: [Service]
  var timers: [String: UInt32]
  /// Times of the changes, in seconds.
  var events: [String]
  /// Of a snapshot: rows by table.
  var rows: [String: Int]?
  /// Of a snapshot: entries that the pipeline had learned.
  var learned: Int?

  public init(_ state: StateFile) {
    let names = NameBook(state.intent)
    file = state.path
    gateway = state.intent.gateway.map(Interface.init)
    host = state.intent.host.map(Interface.init)
    pods = state.intent.pods.map(Interface.init)
    services = state.intent.services.map { service in
      Service(
        name: service.name, clusterIP: service.clusterIP.description,
        ports: service.ports.map { port in
          ServicePort(
            transport: port.transport == .tcp ? "TCP" : "UDP", port: port.port,
            endpoints: port.endpoints.map { endpoint in
              Endpoint(
                address: endpoint.address.description, port: endpoint.port,
                weight: endpoint.weight, name: names.addresses[endpoint.address.value])
            })
        })
    }
    timers = Dictionary(uniqueKeysWithValues: state.timers.map { ($0.key.name, $0.value) })
    events = state.events.map { TraceText.seconds($0.at) }
    guard let snapshot = state.snapshot else { return }
    rows = Dictionary(grouping: snapshot.rows, by: \.table).mapValues(\.count)
    learned = snapshot.learned?.entries.count
    events = snapshot.changes.map { TraceText.seconds($0.at) }
  }

  /// Lines for people.
  public var text: String {
    var table = TextTable()
    for interface in [gateway, host].compactMap(\.self) + pods {
      table.add(interface.name, [interface.ip, interface.mac, "port \(interface.port)"])
    }
    for (name, count) in (rows ?? [:]).sorted(by: { $0.key < $1.key }) {
      table.add(name, ["\(count) rows"])
    }
    if let learned { table.add("learned", ["\(learned) entries"]) }
    var text = "\(file) is valid.\n\n" + table.text
    for service in services {
      text += "\n\(service.name)  \(service.clusterIP)\n"
      for port in service.ports {
        text += "  \(port.transport) \(port.port)\n"
        for endpoint in port.endpoints { text += "    → \(line(endpoint))\n" }
        if port.endpoints.isEmpty { text += "    no endpoint: frames are dropped\n" }
      }
    }
    if !timers.isEmpty {
      let list = timers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) s" }
      text += "\ntimers: " + list.joined(separator: ", ") + "\n"
    }
    if !events.isEmpty { text += "\nchanges at: " + events.joined(separator: ", ") + " s\n" }
    return text
  }

  private func line(_ endpoint: Endpoint) -> String {
    var line = "\(endpoint.address):\(endpoint.port)  \(endpoint.name ?? "not on this node")"
    if endpoint.weight == 0 { line += "  draining" }
    if endpoint.weight > 1 { line += "  weight \(endpoint.weight)" }
    return line
  }
}
