extension IntentCompiler {
  /// Everything that is programmed, in an order in which no row refers to a later one.
  public var entries: [TableEntry] {
    var entries: [TableEntry] = []
    entries.reserveCapacity(
      rows.endpoints + rows.slots + rows.services + rows.virtualAddresses + 2 * rows.sites)
    let states = ports.values.sorted { $0.key < $1.key }
    for state in states {
      for member in state.members {
        entries.append(
          member.row(site: node.sites[member.address.value], sourceMAC: node.sourceMAC))
      }
    }
    for state in states {
      for row in 0..<state.rowCount { entries.append(state.slotRow(row)) }
    }
    entries += states.compactMap(\.serviceRow)
    for value in Set(node.sites.keys).union(virtualAddresses.keys).sorted() {
      let address = IPv4Address(value)
      let site = node.sites[value]
      if let site { entries.append(K8sDP.arpTarget(address, egress: site.interface.port)) }
      if let route = route(address, site, node.sourceMAC, virtualAddresses[value] ?? 0) {
        entries.append(route)
      }
    }
    return entries
  }
}
