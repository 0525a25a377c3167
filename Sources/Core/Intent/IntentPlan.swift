/// Everything that one intent changes, worked out before anything changes.
struct IntentPlan: Sendable {
  var node: NodeChange
  /// New states of the Service ports concerned, by ascending key.
  var ports: [ServicePortState] = []
  /// Service address → its ports in use afterwards, for those concerned.
  var virtualAddresses: [UInt32: Int] = [:]
  var rows: RowCounts
  var serviceIDs: IDAllocator
  var endpointIDs: IDAllocator
}

extension IntentCompiler {
  typealias WantedPort = (service: String, port: Intent.ServicePort)

  func plan(for intent: Intent) throws(IntentError) -> IntentPlan {
    var plan = IntentPlan(
      node: try NodeChange(from: node, to: intent), rows: rows, serviceIDs: serviceIDs,
      endpointIDs: endpointIDs)
    let changed = ChangedServices(from: services, to: intent.services)
    var dropped: Set<ServicePortKey> = []
    for service in changed.removed {
      for port in service.ports { dropped.insert(ServicePortKey(service.clusterIP, port)) }
    }
    let wanted = try wantedPorts(of: changed.added, replacing: dropped)
    for key in dropped { count(key, -1, &plan) }
    for key in wanted.keys { count(key, 1, &plan) }
    try checkVirtualAddresses(plan, wanted)

    var concerned = dropped.union(wanted.keys)
    for address in plan.node.affected { concerned.formUnion(memberships[address] ?? []) }
    let live = liveIDs(plan)
    plan.ports.reserveCapacity(concerned.count)
    for key in concerned.sorted() {
      try add(key, wanted[key], isDropped: dropped.contains(key), live, &plan)
    }
    plan.rows.sites = plan.node.count
    for (address, count) in plan.virtualAddresses {
      plan.rows.virtualAddresses +=
        (count > 0 ? 1 : 0) - (virtualAddresses[address] == nil ? 0 : 1)
    }
    try plan.rows.check()
    return plan
  }

  /// The ports of Services that are new or changed.
  private func wantedPorts(
    of services: [Intent.Service], replacing dropped: Set<ServicePortKey>
  ) throws(IntentError) -> [ServicePortKey: WantedPort] {
    var wanted: [ServicePortKey: WantedPort] = [:]
    for service in services {
      for port in service.ports {
        guard port.port != 0, service.clusterIP.isUnicast else {
          throw IntentError(
            "Service \(service.name)",
            "\(service.clusterIP):\(port.port) is no address and port; give it others")
        }
        let key = ServicePortKey(service.clusterIP, port)
        var other = wanted.updateValue((service.name, port), forKey: key)?.service
        if other == nil, !dropped.contains(key), let state = ports[key], state.wanted != nil {
          other = state.service
        }
        if let other {
          throw IntentError(
            "Service \(service.name)",
            "\(service.clusterIP):\(port.port)/\(port.transport.name) is also a port of Service "
              + "\(other); remove one of them")
        }
      }
    }
    return wanted
  }

  private func count(_ key: ServicePortKey, _ difference: Int, _ plan: inout IntentPlan) {
    let address = key.address.value
    let before = plan.virtualAddresses[address] ?? virtualAddresses[address] ?? 0
    plan.virtualAddresses[address] = before + difference
    plan.rows.services += difference
  }

  private func checkVirtualAddresses(
    _ plan: IntentPlan, _ wanted: [ServicePortKey: WantedPort]
  ) throws(IntentError) {
    for address in plan.virtualAddresses.keys.sorted() + plan.node.affected {
      let count = plan.virtualAddresses[address] ?? virtualAddresses[address] ?? 0
      guard count > 0, let site = plan.node.site(IPv4Address(address), in: node) else { continue }
      let name =
        wanted.filter { $0.key.address.value == address }.map(\.value.service).min()
        ?? ports.values.filter { $0.wanted != nil && $0.key.address.value == address }
        .map(\.service).min() ?? ""
      throw IntentError(
        "Service \(name)",
        "its address \(IPv4Address(address)) is that of \(site.title); give one another address")
    }
  }

  /// Adds the new state of one Service port.
  private func add(
    _ key: ServicePortKey, _ wanted: WantedPort?, isDropped: Bool, _ live: LiveIDs,
    _ plan: inout IntentPlan
  ) throws(IntentError) {
    let old = ports[key]
    var state = old ?? ServicePortState(key: key, epoch: forgotten[key] ?? 0)
    if let wanted {
      state.service = wanted.service
      state.wanted = wanted.port
      if state.id == 0 { state.id = plan.serviceIDs.next(live: live.services) }
    } else if isDropped {
      state.wanted = nil
      state.id = 0
    }
    try state.update(
      node: node, change: plan.node, ids: &plan.endpointIDs, live: live.endpoints)
    plan.rows.slots += state.rowCount - (old?.rowCount ?? 0)
    plan.rows.endpoints += state.members.count - (old?.members.count ?? 0)
    plan.ports.append(state)
  }

  /// Ids in use. Empty until ids start over, since rising ones are always new.
  private func liveIDs(_ plan: IntentPlan) -> LiveIDs {
    var live = LiveIDs()
    // Ids may start over within this plan, so look a whole table ahead.
    let margin = UInt32.max - UInt32(2 * K8sDP.Table.endpoints.size)
    if plan.endpointIDs.hasWrapped || plan.endpointIDs.last > margin {
      for state in ports.values { live.endpoints.formUnion(state.members.map(\.id)) }
    }
    if plan.serviceIDs.hasWrapped || plan.serviceIDs.last > margin {
      live.services = Set(ports.values.map(\.id))
    }
    return live
  }
}

/// Ids in use, of Service ports and of endpoints.
struct LiveIDs {
  var services: Set<UInt32> = []
  var endpoints: Set<UInt32> = []
}
