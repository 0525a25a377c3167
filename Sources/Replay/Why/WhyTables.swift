import Core
import SimDataplane

/// What a question about a packet is answered from: the rows of a node and the entries that its
/// pipeline has learned, and what is known of its ports.
public struct WhyTables: Sendable {
  /// A port's interface.
  public struct Port: Hashable, Sendable {
    public var name: String
    public var isThere: Bool
    public var isUp: Bool

    public init(name: String, isThere: Bool, isUp: Bool) {
      self.name = name
      self.isThere = isThere
      self.isUp = isUp
    }
  }

  /// Where packets of an address come in, and with which Ethernet addresses.
  struct Site: Hashable, Sendable {
    var port: PortID
    var mac: MACAddress
    /// What it sends to: its gateway.
    var gateway: MACAddress
  }

  let snapshot: StateSnapshot
  let timers: [K8sDP.Timer: UInt32]
  /// nil: nothing is known of ports.
  let ports: [PortID: Port]?
  /// What addresses are called.
  public let names: NodeNames
  private let routes: [UInt64: TableEntry]

  public init(
    _ snapshot: StateSnapshot, timers: [K8sDP.Timer: UInt32], ports: [PortID: Port]?,
    names: NodeNames
  ) {
    self.snapshot = snapshot
    self.timers = timers
    self.ports = ports
    self.names = names
    routes = Dictionary(
      snapshot.rows.compactMap { row in
        row.table == K8sDP.Table.routes.name ? row.key.first.map { ($0, row) } : nil
      }
    ) { first, _ in first }
  }

  /// Of a state file, with the tables that its pods and Services make, or those of its snapshot.
  public init(_ state: StateFile, names: NodeNames) throws(ReplayError) {
    var names = names
    names.add(state.names)
    for service in state.intent.services {
      for port in service.ports {
        names.add(
          service: ServiceAddress(service.clusterIP, port.transport, port.port), service.name)
      }
    }
    if let snapshot = state.snapshot {
      for row in snapshot.rows where row.table == K8sDP.Table.services.name {
        guard let address = ServiceAddress(services: row),
          let name = snapshot.names.services[address.address.value]
        else { continue }
        names.add(service: address, name)
      }
      self.init(snapshot, timers: state.timers, ports: nil, names: names)
      return
    }
    var compiler = IntentCompiler()
    do { _ = try compiler.updates(for: state.intent) } catch {
      throw ReplayError("\(state.path): \(error.entity)", error.message)
    }
    self.init(
      StateSnapshot(rows: compiler.entries), timers: state.timers, ports: nil, names: names)
  }

  /// nil for an address that the node does not know.
  func site(_ address: IPv4Address) -> Site? {
    guard let row = routes[UInt64(address.value)], row.action == "route_hop",
      row.arguments.count == 3
    else { return nil }
    return Site(
      port: PortID(truncatingIfNeeded: row.arguments[0]), mac: MACAddress(row.arguments[1]),
      gateway: MACAddress(row.arguments[2]))
  }

  /// Where what does not belong to the node comes from.
  var host: Site {
    let row = routes.values.filter {
      $0.action == "route_hop" && $0.arguments.first == UInt64(K8sDP.hostPort)
    }.min { $0.key.lexicographicallyPrecedes($1.key) }
    guard let row, row.arguments.count == 3 else {
      return Site(
        port: K8sDP.hostPort, mac: MACAddress(0x0200_0000_0101),
        gateway: MACAddress(0x0200_0000_0001))
    }
    return Site(
      port: K8sDP.hostPort, mac: MACAddress(row.arguments[1]), gateway: MACAddress(row.arguments[2])
    )
  }

  /// The ports that an address has as a Service.
  func servicePorts(_ address: IPv4Address) -> [ServiceAddress] {
    snapshot.rows.compactMap { row in
      guard row.table == K8sDP.Table.services.name, row.key.first == UInt64(address.value) else {
        return nil
      }
      return ServiceAddress(services: row)
    }
  }

  /// The endpoints that a port of a Service has for new connections.
  func endpoints(_ service: ServiceAddress) -> [K8sDP.Connection.Socket] {
    let key = K8sDP.serviceKey(
      service.address, port: service.port, transport: service.transport)
    guard
      let row = snapshot.rows.first(where: {
        $0.table == K8sDP.Table.services.name && $0.key == key
      }), row.arguments.count == 2
    else { return [] }
    let ids = Set(
      snapshot.rows.lazy.filter {
        $0.table == K8sDP.Table.slots.name && $0.key.first == row.arguments[0]
          && $0.key.count == 2 && $0.key[1] <= row.arguments[1] / UInt64(K8sDP.slotsPerRow)
      }.flatMap { K8sDP.slots(in: $0).map { UInt64($0.endpoint) } })
    let sockets = snapshot.rows.lazy.filter {
      $0.table == K8sDP.Table.endpoints.name && $0.key.first.map(ids.contains) == true
    }.map { K8sDP.Connection.Socket($0) }
    return Set(sockets).sorted { ($0.address, $0.port) < ($1.address, $1.port) }
  }

  /// A model with all of it.
  func model() throws(ReplayError) -> SimDataplane {
    var options = SimDataplane.Options()
    if let clock = snapshot.learned?.clock() { options.clock = clock }
    while options.ports <= snapshot.highestPort { options.ports *= 2 }
    let model = SimDataplane(options: options)
    do throws(DataplaneError) {
      for (timer, seconds) in timers { try model.setTimer(timer.profile, seconds: seconds) }
      try model.apply(snapshot.rows.map { .insert($0) })
    } catch {
      throw ReplayError(error, dataplane: "model")
    }
    if let learned = snapshot.learned { _ = model.restore(learned.entries(by: model.clock)) }
    return model
  }
}

extension ServiceAddress {
  /// What a row of `services` is about.
  init?(services row: TableEntry) {
    guard row.key.count == 3, let port = UInt16(exactly: row.key[1]),
      let transport = UInt8(exactly: row.key[2]).flatMap(TransportProtocol.init(rawValue:))
    else { return nil }
    self.init(IPv4Address(UInt32(truncatingIfNeeded: row.key[0])), transport, port)
  }
}

extension K8sDP.Connection.Socket {
  /// Where a row of `endpoints` leads: every action of it begins with address and port.
  fileprivate init(_ row: TableEntry) {
    self.init(
      IPv4Address(UInt32(truncatingIfNeeded: row.arguments.first ?? 0)),
      UInt16(truncatingIfNeeded: row.arguments.dropFirst().first ?? 0))
  }
}
