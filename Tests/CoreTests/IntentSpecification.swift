import Testing

@testable import Core

/// What the tables must say for an intent, written from the rules and not from
/// the compiler: everything but ids, slot order, epochs and draining rows.
struct IntentSpecification {
  let intent: Intent

  private var sourceMAC: UInt64 {
    intent.gateway?.mac.value ?? intent.host?.mac.value ?? 0x0200_0000_0001
  }

  private func hop(_ interface: Intent.Interface) -> [UInt64] {
    [UInt64(interface.port), interface.mac.value, sourceMAC]
  }

  private func local(_ address: IPv4Address) -> Intent.Interface? {
    (intent.pods + [intent.host].compactMap { $0 }).first { $0.ip == address }
  }

  func check(_ model: TableModel) {
    let sites = [intent.gateway, intent.host].compactMap { $0 } + intent.pods
    var arp: [[UInt64]: [UInt64]] = [:]
    var routes: [[UInt64]: [UInt64]] = [:]
    for site in sites {
      arp[[UInt64(site.ip.value)]] = [UInt64(site.port)]
      routes[[UInt64(site.ip.value)]] = hop(site)
    }
    for service in intent.services where !service.ports.isEmpty {
      routes[[UInt64(service.clusterIP.value)]] = []
    }
    #expect(model[.arpTargets].mapValues(\.arguments) == arp)
    #expect(model[.routes].mapValues(\.arguments) == routes)
    #expect(model[.services].count == intent.services.reduce(0) { $0 + $1.ports.count })
    var listed: Set<UInt64> = []
    var slots = 0
    for service in intent.services {
      for port in service.ports { check(service, port, model, &listed, &slots) }
    }
    #expect(model[.slots].count * K8sDP.slotsPerRow == slots)
    for (key, row) in model[.endpoints] where !listed.contains(key[0]) {
      #expect(row.action == "endpoint_drain")
      let pod = intent.pods.first { UInt64($0.ip.value) == row.arguments[0] }
      #expect(pod.map(hop) == Array(row.arguments[2...]))
    }
  }

  private func check(
    _ service: Intent.Service, _ port: Intent.ServicePort, _ model: TableModel,
    _ listed: inout Set<UInt64>, _ slots: inout Int
  ) {
    let key = [
      UInt64(service.clusterIP.value), UInt64(port.port), UInt64(port.transport.rawValue),
    ]
    guard let row = model[.services][key] else {
      Issue.record("no row for \(service.name) \(port.port)")
      return
    }
    let id = row.arguments[0]
    let active = port.endpoints.filter { $0.weight > 0 }
    let mask = row.arguments[1]
    guard !active.isEmpty else {
      #expect(mask == 3)
      #expect(model[.slots][[id, 0]] == nil)
      for endpoint in port.endpoints { _ = find(endpoint, nil, model, &listed) }
      return
    }
    let count = Int(mask) + 1
    slots += count
    let total = active.reduce(0) { $0 + Int($1.weight) }
    #expect(count & (count - 1) == 0)
    let needed = fewestSlots(active.map { Int($0.weight) }, total)
    #expect(count >= needed && count <= 4 * needed, "\(count) slots where \(needed) are fair")
    var owned: [UInt64: Int] = [:]
    for row in 0...mask / 4 {
      let row = model[.slots][[id, row]]
      for slot in row.map(K8sDP.slots) ?? [] { owned[UInt64(slot.endpoint), default: 0] += 1 }
    }
    #expect(owned.values.reduce(0, +) == count)
    for endpoint in port.endpoints {
      guard let endpointID = find(endpoint, owned, model, &listed) else { continue }
      let share = owned[endpointID] ?? 0
      let scaled = count * Int(endpoint.weight)
      #expect(share >= scaled / total && share <= (scaled + total - 1) / total)
    }
    #expect(owned.count == active.count)
  }

  /// Slots of which every share, rounded down or up, is within 1/8 of what it is worth.
  private func fewestSlots(_ weights: [Int], _ total: Int) -> Int {
    var count = 4
    while !weights.allSatisfy({ weight in
      let worth = count * weight
      let down = worth / total * total
      let up = (worth + total - 1) / total * total
      return 8 * (worth - down) <= worth && 8 * (up - worth) <= worth
    }) { count *= 2 }
    return count
  }

  /// The id of an endpoint's row; of several that fit, the one slots lead to.
  private func find(
    _ endpoint: Intent.Endpoint, _ owned: [UInt64: Int]?, _ model: TableModel,
    _ listed: inout Set<UInt64>
  ) -> UInt64? {
    let target = [UInt64(endpoint.address.value), UInt64(endpoint.port)]
    let action: String
    var arguments = target
    if let site = local(endpoint.address) {
      action = endpoint.weight == 0 ? "endpoint_drain" : "endpoint_hop"
      arguments += hop(site)
    } else {
      action = "endpoint_host"
    }
    let taken = endpoint.weight == 0 ? model.slotOwners : []
    let rows = model[.endpoints].values.filter {
      $0.action == action && $0.arguments == arguments
        && (endpoint.weight == 0 ? !taken.contains($0.key[0]) : owned?[$0.key[0]] != nil)
        && !listed.contains($0.key[0])
    }
    guard let id = rows.map({ $0.key[0] }).min() else {
      Issue.record("no \(action) row for \(endpoint)")
      return nil
    }
    listed.insert(id)
    return id
  }
}
