import Core

/// The control plane's side of the tables. Updates have been validated.
extension Pipeline {
  /// Puts a flow entry back; false when there is no room.
  func restore(_ key: FlowKey, _ data: FlowData, timer: UInt8, expiry: UInt64) -> Bool {
    flows.restore(
      key, data, timer: timer, expiry: expiry, hash: crc.hash16(key.low, key.high))
  }

  /// Puts an entry for fragments back; false when there is no room.
  func restore(
    fragment key: FlowKey, _ data: FragmentData, timer: UInt8, expiry: UInt64
  ) -> Bool {
    fragments.restore(
      key, data, timer: timer, expiry: expiry, hash: crc.hash(key.low, key.high, count: 11))
  }

  mutating func set(_ entry: TableEntry) {
    let key = entry.key
    let a = entry.arguments
    switch (entry.table, entry.action) {
    case ("arp_targets", "arp_forward"):
      arpTargets.set(key[0], PortID(a[0]))
    case ("routes", "route_hop"):
      routes.set(key[0], Route(next: .hop, hop: hop(a[0], a[1], a[2])))
    case ("routes", "route_vip"):
      routes.set(key[0], Route(next: .vip, hop: hop(0, 0, 0)))
    case ("services", "service_select"):
      services.set(serviceKey(key), Service(id: UInt32(a[0]), mask: UInt32(a[1])))
    case ("slots", "slot_endpoints"):
      slots.set(
        slotRowKey(key),
        SlotRow(
          first: slot(a[0], a[1]), second: slot(a[2], a[3]), third: slot(a[4], a[5]),
          fourth: slot(a[6], a[7])))
    case ("endpoints", "endpoint_hop"), ("endpoints", "endpoint_drain"):
      endpoints.set(
        key[0],
        Endpoint(
          ip: UInt32(a[0]), port: UInt16(a[1]),
          next: entry.action == "endpoint_drain" ? .drain : .hop, hop: hop(a[2], a[3], a[4])))
    case ("endpoints", "endpoint_host"):
      endpoints.set(
        key[0],
        Endpoint(ip: UInt32(a[0]), port: UInt16(a[1]), next: .host, hop: hop(1, 0, 0)))
    default: preconditionFailure("the contract has \(entry.table).\(entry.action), the model not")
    }
  }

  mutating func remove(_ table: String, _ key: [UInt64]) {
    switch table {
    case "arp_targets": arpTargets.remove(key[0])
    case "routes": routes.remove(key[0])
    case "services": services.remove(serviceKey(key))
    case "slots": slots.remove(slotRowKey(key))
    case "endpoints": endpoints.remove(key[0])
    default: preconditionFailure("the contract has a table \(table), the model not")
    }
  }

  private func hop(_ egress: UInt64, _ dstMAC: UInt64, _ srcMAC: UInt64) -> Hop {
    Hop(egress: PortID(egress), dstMAC: dstMAC, srcMAC: srcMAC)
  }

  private func serviceKey(_ key: [UInt64]) -> UInt64 {
    TableKey.service(UInt32(key[0]), UInt16(key[1]), UInt8(key[2]))
  }

  private func slot(_ endpoint: UInt64, _ kind: UInt64) -> Slot {
    Slot(endpoint: UInt32(endpoint), kind: UInt8(kind))
  }

  private func slotRowKey(_ key: [UInt64]) -> UInt64 {
    TableKey.slotRow(UInt32(key[0]), UInt32(key[1]))
  }

  /// Every counter under the name the compiled pipeline gives it.
  func counters() -> Counters {
    var counters = Counters()
    for port in 0..<PortID(forwarded.ports) where forwarded[port] > 0 {
      counters.forwarded[port] = forwarded[port]
    }
    func table(
      _ name: String, _ hits: UInt64, _ misses: UInt64, _ miss: String,
      _ actions: [String: UInt64]
    ) {
      var table = Counters.Table()
      table.hit = hits
      table.miss = misses
      table.actions = actions.filter { $0.value > 0 }
      if misses > 0 { table.actions[miss] = misses }
      counters.tables[name] = table
    }
    table(
      "arp_targets", arpTargets.hits, arpTargets.misses, "arp_host",
      ["arp_forward": arpTargets.hits])
    table(
      "routes", routes.hits, routes.misses, "route_host",
      ["route_hop": actions.routeHop, "route_vip": actions.routeVIP])
    table(
      "services", services.hits, services.misses, "NoAction", ["service_select": services.hits])
    table("slots", slots.hits, slots.misses, "NoAction", ["slot_endpoints": slots.hits])
    table(
      "endpoints", endpoints.hits, endpoints.misses, "endpoint_gone",
      [
        "endpoint_hop": actions.endpointHop, "endpoint_drain": actions.endpointDrain,
        "endpoint_host": actions.endpointHost,
      ])
    func learner(
      _ name: String, _ hit: UInt64, _ miss: UInt64, _ learned: UInt64, _ failed: UInt64,
      _ rearmed: UInt64, _ actions: (String, String)
    ) {
      var learner = Counters.Learner()
      learner.hit = hit
      learner.miss = miss
      learner.learned = learned
      learner.learnFailed = failed
      learner.rearmed = rearmed
      if hit > 0 { learner.actions[actions.0] = hit }
      if miss > 0 { learner.actions[actions.1] = miss }
      counters.learners[name] = learner
    }
    learner(
      "flows", flows.hits, flows.misses, flows.learned, flows.learnFailures, flows.rearms,
      ("flow_hit", "flow_miss"))
    learner(
      "fragments", fragments.hits, fragments.misses, fragments.learned, fragments.learnFailures,
      fragments.rearms, ("fragment_hit", "fragment_miss"))
    for reason in DropReason.allCases where drops[reason] > 0 {
      counters.dropped[reason] = drops[reason]
      if reason.isOfPipeline { counters.droppedByPipeline[reason] = drops[reason] }
    }
    return counters
  }
}
