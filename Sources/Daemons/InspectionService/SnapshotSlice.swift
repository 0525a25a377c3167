import Core
import P4RuntimeService

/// The part of a snapshot of k8s_dp that packets from and to some addresses can meet: a node has
/// millions of rows, and a question is about a few.
struct SnapshotSlice: Sendable {
  /// Of a Service (SlotTable.maximumCount), less one.
  private static let mostSlots: UInt64 = 65_535

  private let addresses: Set<UInt64>

  /// - Parameter addresses: none is all.
  init(_ addresses: [UInt32]) { self.addresses = Set(addresses.map(UInt64.init)) }

  var isAll: Bool { addresses.isEmpty }

  /// Entries of flows and fragments that have one of the addresses anywhere.
  func contains(_ entry: LearnedEntry) -> Bool {
    entry.key.contains(where: addresses.contains)
      || entry.arguments.contains(where: addresses.contains)
  }

  /// Routes, Services with their slots, and the endpoints behind them.
  ///
  /// - Parameter endpoints: that learned entries point at.
  func rows(of view: RowView, endpoints pinned: Set<UInt64>) -> [TableEntry] {
    var rows: [TableEntry] = []
    var endpoints = pinned
    for service in view.entries(of: K8sDP.Table.services.name)
    where service.key.first.map(addresses.contains) == true && service.arguments.count == 2 {
      rows.append(service)
      for number in 0...min(service.arguments[1], Self.mostSlots) / UInt64(K8sDP.slotsPerRow) {
        let key = [service.arguments[0], number]
        guard let row = view.entry(of: K8sDP.Table.slots.name, key: key) else { continue }
        rows.append(row)
        endpoints.formUnion(K8sDP.slots(in: row).lazy.map { UInt64($0.endpoint) })
      }
    }
    var hosts = addresses
    for id in endpoints {
      guard let row = view.entry(of: K8sDP.Table.endpoints.name, key: [id]) else { continue }
      rows.append(row)
      if let address = row.arguments.first { hosts.insert(address) }
    }
    for address in hosts {
      for table in [K8sDP.Table.routes, .arpTargets] {
        if let row = view.entry(of: table.name, key: [address]) { rows.append(row) }
      }
    }
    // The host's and the gateway's rows, by which frames leave the node.
    for row in view.entries(of: K8sDP.Table.routes.name)
    where row.action == "route_hop" && row.arguments.first ?? .max <= UInt64(K8sDP.hostPort) {
      guard let address = row.key.first, !hosts.contains(address) else { continue }
      rows.append(row)
    }
    return rows
  }
}
