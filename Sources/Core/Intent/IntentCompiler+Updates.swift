extension IntentCompiler {
  /// The difference between what is programmed and a plan, in an order in which
  /// no row ever refers to one that is not there.
  func updates(of plan: IntentPlan) -> [Update] {
    var updates: [Update] = []
    updates.reserveCapacity(estimate(plan))
    var last: [Update] = []
    addEndpoints(plan, &updates, late: &last)
    addSlots(plan, &updates)
    addServices(plan, &updates)
    addAddresses(plan, &updates)
    removeServices(plan, &updates)
    removeSlots(plan, &updates)
    updates += last
    return updates
  }

  /// Rows that are certainly new: exact for a first intent, low for others.
  private func estimate(_ plan: IntentPlan) -> Int {
    max(0, plan.rows.slots - rows.slots) + max(0, plan.rows.endpoints - rows.endpoints)
      + max(0, plan.rows.services - rows.services)
      + max(0, plan.rows.virtualAddresses - rows.virtualAddresses)
      + 2 * max(0, plan.rows.sites - rows.sites)
  }

  /// - Parameter late: What must wait until no slot leads there: rows that begin
  ///   to drain, and then rows that go.
  private func addEndpoints(
    _ plan: IntentPlan, _ updates: inout [Update], late: inout [Update]
  ) {
    var deletions: [Update] = []
    for state in plan.ports {
      let old = ports[state.key]?.members ?? []
      var i = 0
      for member in state.members {
        while i < old.count, old[i].order < member.order {
          deletions.append(K8sDP.delete(.endpoints, key: [UInt64(old[i].id)]))
          i += 1
        }
        let site = plan.node.site(member.address, in: node)
        guard i < old.count, old[i].order == member.order else {
          updates.append(.insert(member.row(site: site, sourceMAC: plan.node.sourceMAC)))
          continue
        }
        let before = old[i].target(node.sites[member.address.value], node.sourceMAC)
        let after = member.target(site, plan.node.sourceMAC)
        i += 1
        if before == after { continue }
        let row = member.row(site: site, sourceMAC: plan.node.sourceMAC)
        if case .drain = after { late.append(.modify(row)) } else { updates.append(.modify(row)) }
      }
      for gone in old[i...] {
        deletions.append(K8sDP.delete(.endpoints, key: [UInt64(gone.id)]))
      }
    }
    late += deletions
  }

  private func addSlots(_ plan: IntentPlan, _ updates: inout [Update]) {
    for state in plan.ports {
      for row in keptRows(state)..<max(state.rowCount, keptRows(state)) {
        updates.append(.insert(state.slotRow(row)))
      }
    }
    for state in plan.ports {
      guard let old = ports[state.key] else { continue }
      for row in 0..<keptRows(state) where !state.hasSlots(of: old, inRow: row) {
        updates.append(.modify(state.slotRow(row)))
      }
    }
  }

  /// Rows of slots that are there before and afterwards.
  private func keptRows(_ state: ServicePortState) -> Int {
    guard let old = ports[state.key], old.id == state.id else { return 0 }
    return min(old.rowCount, state.rowCount)
  }

  private func addServices(_ plan: IntentPlan, _ updates: inout [Update]) {
    for state in plan.ports {
      guard let row = state.serviceRow else { continue }
      if let old = ports[state.key]?.serviceRow {
        if old != row { updates.append(.modify(row)) }
      } else {
        updates.append(.insert(row))
      }
    }
  }

  private func removeServices(_ plan: IntentPlan, _ updates: inout [Update]) {
    for state in plan.ports where state.wanted == nil {
      if let old = ports[state.key]?.serviceRow {
        updates.append(K8sDP.delete(.services, key: old.key))
      }
    }
  }

  private func removeSlots(_ plan: IntentPlan, _ updates: inout [Update]) {
    for state in plan.ports {
      guard let old = ports[state.key] else { continue }
      for row in keptRows(state)..<max(old.rowCount, keptRows(state)) {
        updates.append(K8sDP.delete(.slots, key: [UInt64(old.id), UInt64(row)]))
      }
    }
  }

  /// Rows of `routes` and `arp_targets`.
  private func addAddresses(_ plan: IntentPlan, _ updates: inout [Update]) {
    var deletions: [Update] = []
    for value in Set(plan.virtualAddresses.keys).union(plan.node.affected).sorted() {
      let address = IPv4Address(value)
      let old = node.sites[value]
      let new = plan.node.site(address, in: node)
      switch (old, new) {
      case (nil, let new?):
        updates.append(.insert(K8sDP.arpTarget(address, egress: new.interface.port)))
      case (let old?, let new?) where old.interface.port != new.interface.port:
        updates.append(.modify(K8sDP.arpTarget(address, egress: new.interface.port)))
      case (_?, nil):
        deletions.append(K8sDP.delete(.arpTargets, key: [UInt64(value)]))
      default: break
      }
      let before = route(address, old, node.sourceMAC, virtualAddresses[value] ?? 0)
      let after = route(
        address, new, plan.node.sourceMAC,
        plan.virtualAddresses[value] ?? virtualAddresses[value] ?? 0)
      guard before != after else { continue }
      if let after {
        updates.append(before == nil ? .insert(after) : .modify(after))
      } else {
        deletions.append(K8sDP.delete(.routes, key: [UInt64(value)]))
      }
    }
    updates += deletions
  }

  func route(
    _ address: IPv4Address, _ site: NodeState.Site?, _ sourceMAC: MACAddress, _ ports: Int
  ) -> TableEntry? {
    if let site { return K8sDP.route(address, site.hop(sourceMAC: sourceMAC)) }
    return ports > 0 ? K8sDP.routeVIP(address) : nil
  }
}
