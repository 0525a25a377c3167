/// Turns intent into table updates: everything the first time, the difference
/// ever after. Pure and deterministic.
public struct IntentCompiler: Sendable {
  private typealias EndpointKey = ServicePortState.EndpointKey

  /// Rows of `arp_targets` and `routes`, by key.
  private var arpTargets: [UInt64: TableEntry] = [:]
  private var routes: [UInt64: TableEntry] = [:]
  /// Rows of `endpoints`, by id.
  private var endpoints: [UInt64: TableEntry] = [:]
  private var ports: [ServicePortKey: ServicePortState] = [:]
  /// Service ports that are gone while pods still hold flows of theirs.
  private var retired: [ServicePortKey: ServicePortState] = [:]
  /// The epoch a Service port starts with if it comes back: flows remember.
  private var nextEpoch: [ServicePortKey: UInt8] = [:]
  // Ids only rise: a flow may still hold one that was given back, so one is
  // used again only after 2³² others.
  private var lastServiceID: UInt32 = 0
  private var lastEndpointID: UInt32 = 0

  public init() {}

  /// The updates that lead from the last intent to this one.
  ///
  /// - Throws: ``IntentError``; the compiler is then as before.
  public mutating func updates(for intent: Intent) throws(IntentError) -> [Update] {
    var next = self
    let updates = try next.advance(to: intent)
    self = next
    return updates
  }

  private mutating func advance(to intent: Intent) throws(IntentError) -> [Update] {
    let node = try NodeMap(intent)
    var desiredPorts: [ServicePortKey: (name: String, port: Intent.ServicePort)] = [:]
    var desiredRoutes = node.routes
    for service in intent.services {
      if let interface = node.interfaces[service.clusterIP] {
        throw IntentError(
          service.name, "its address \(service.clusterIP) is that of \(interface.name)")
      }
      for port in service.ports {
        let key = ServicePortKey(
          address: service.clusterIP, transport: port.transport, port: port.port)
        if let other = desiredPorts.updateValue((service.name, port), forKey: key) {
          throw IntentError(
            service.name,
            "\(service.clusterIP):\(port.port) is also a port of Service \(other.name)")
        }
        let vip = K8sDP.vip(service.clusterIP)
        desiredRoutes[vip.key[0]] = vip
      }
    }

    var changes = ChangeList()
    try updatePorts(desiredPorts, node, &changes)
    changes.difference(from: arpTargets, to: node.arpTargets)
    changes.difference(from: routes, to: desiredRoutes)
    arpTargets = node.arpTargets
    routes = desiredRoutes
    try checkCapacity()
    return changes.updates
  }

  private mutating func updatePorts(
    _ desired: [ServicePortKey: (name: String, port: Intent.ServicePort)], _ node: NodeMap,
    _ changes: inout ChangeList
  ) throws(IntentError) {
    var rows: [UInt64: TableEntry] = [:]
    rows.reserveCapacity(endpoints.count)

    for key in ports.keys.sorted() where desired[key] == nil {
      guard var port = ports.removeValue(forKey: key) else { continue }
      changes.delete(serviceRow(key, port))
      changes.difference(from: port.slotRows(), to: [])
      nextEpoch[key] = ((port.slots.slots.map(\.epoch).max() ?? 0) + 1) & 0x7F
      for member in port.members.keys { port.members[member]?.draining = true }
      retired[key] = port
    }

    for key in desired.keys.sorted() {
      guard let (name, wanted) = desired[key] else { continue }
      if var port = ports[key] {
        if port.intent != wanted {
          let before = (port.slotRows(), serviceRow(key, port))
          port.intent = wanted
          try update(&port, name)
          changes.difference(from: before.0, to: port.slotRows())
          let row = serviceRow(key, port)
          if row != before.1 { changes.modify(row) }
        }
        ports[key] = port
      } else {
        lastServiceID = nextID(after: lastServiceID)
        var port = ServicePortState(
          id: lastServiceID, intent: wanted, slots: SlotTable(epoch: nextEpoch[key] ?? 0))
        port.members = retired.removeValue(forKey: key)?.members ?? [:]
        try update(&port, name)
        changes.difference(from: [], to: port.slotRows())
        changes.insert(serviceRow(key, port))
        ports[key] = port
      }
    }

    for key in ports.keys.sorted() {
      guard var port = ports[key] else { continue }
      Self.addRows(&port, isRetired: false, node, &rows)
      ports[key] = port
    }
    for key in retired.keys.sorted() {
      guard var port = retired[key] else { continue }
      Self.addRows(&port, isRetired: true, node, &rows)
      retired[key] = port.members.isEmpty ? nil : port
    }
    changes.difference(from: endpoints, to: rows)
    endpoints = rows
  }

  /// Brings members and slots in line with the intent of the Service port.
  private mutating func update(
    _ port: inout ServicePortState, _ name: String
  ) throws(IntentError) {
    var weights: [UInt32: UInt32] = [:]
    var listed: Set<EndpointKey> = []
    for endpoint in port.intent.endpoints {
      let key = EndpointKey(address: endpoint.address, port: endpoint.port)
      guard listed.insert(key).inserted else {
        throw IntentError(name, "endpoint \(key.address):\(key.port) is listed twice")
      }
      let id: UInt32
      if let member = port.members[key] {
        id = member.id
      } else {
        lastEndpointID = nextID(after: lastEndpointID)
        id = lastEndpointID
      }
      port.members[key] = .init(id: id, draining: endpoint.weight == 0)
      if endpoint.weight > 0 { weights[id] = endpoint.weight }
    }
    for key in port.members.keys where !listed.contains(key) {
      port.members[key]?.draining = true
    }
    try port.slots.assign(weights, service: name)
  }

  /// Adds the rows of a port's endpoints, and forgets those that are gone: no
  /// longer listed, and no pod of this node either.
  private static func addRows(
    _ port: inout ServicePortState, isRetired: Bool, _ node: NodeMap,
    _ rows: inout [UInt64: TableEntry]
  ) {
    let listed =
      isRetired
      ? [] : Set(port.intent.endpoints.map { EndpointKey(address: $0.address, port: $0.port) })
    for (key, member) in port.members {
      guard listed.contains(key) || node.isPod(key.address) else {
        port.members[key] = nil
        continue
      }
      rows[UInt64(member.id)] = K8sDP.endpoint(
        id: member.id, key.address, key.port, via: node.hop(to: key.address),
        draining: member.draining)
    }
  }

  private func serviceRow(_ key: ServicePortKey, _ port: ServicePortState) -> TableEntry {
    K8sDP.service(
      key.address, key.transport, key.port, id: port.id, slots: port.slots.slots.count)
  }

  private func nextID(after id: UInt32) -> UInt32 { id == .max ? 1 : id + 1 }

  private func checkCapacity() throws(IntentError) {
    let slots = ports.values.reduce(0) { sum, port in
      port.members.values.contains { !$0.draining } ? sum + port.slots.slots.count : sum
    }
    for (table, count) in [
      ("services", ports.count), ("slots", slots), ("endpoints", endpoints.count),
      ("routes", routes.count), ("arp_targets", arpTargets.count),
    ] {
      let size = K8sDP.contract.table(table)?.size ?? 0
      guard count <= size else {
        throw IntentError(
          table, "would need \(count) rows and holds \(size): too many pods or Services for a node")
      }
    }
  }
}
