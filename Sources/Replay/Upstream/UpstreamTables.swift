import Core

/// Rows of upstream's pipeline, IPDK k8s-infra-offload v23.01. Names, keys and
/// arguments are those of its `k8s_dp.p4`; all values are host order.
enum UpstreamTables {
  static let destinations = "write_dest_ip_table"
  static let sources = "write_source_ip_table"

  /// Whether a pipeline is upstream's.
  static func areThose(of contract: Contract) -> Bool {
    contract.table(destinations) != nil && contract.table(balance(.tcp)) != nil
  }

  static func balance(_ transport: TransportProtocol) -> String {
    "tx_balance_\(suffix(transport))"
  }
  static func members(_ transport: TransportProtocol) -> String { "as_sl3_\(suffix(transport))" }
  static func selector(_ transport: TransportProtocol) -> String { members(transport) + "_sel" }
  static func reverse(_ transport: TransportProtocol) -> String { "set_meta_\(suffix(transport))" }

  /// ARP target address → port.
  static func arpTarget(_ interface: Intent.Interface) -> TableEntry {
    TableEntry(
      table: "arpt_to_port_table", key: [UInt64(interface.ip.value)], action: "set_dest_vport",
      arguments: [UInt64(interface.port)])
  }

  /// IPv4 destination → port and MAC.
  static func route(_ interface: Intent.Interface) -> TableEntry {
    TableEntry(
      table: "ipv4_to_port_table", key: [UInt64(interface.ip.value)],
      action: "set_dest_mac_vport", arguments: [UInt64(interface.port), interface.mac.value])
  }

  /// Pointer → what becomes the destination.
  static func destination(_ pointer: UInt32, _ backend: UpstreamAddress) -> TableEntry {
    TableEntry(
      table: destinations, key: [UInt64(pointer)], action: "update_dst_ip",
      arguments: backend.values)
  }

  /// Pointer → what becomes the source.
  static func source(_ pointer: UInt32, _ address: UpstreamAddress) -> TableEntry {
    TableEntry(
      table: sources, key: [UInt64(pointer)], action: "update_src_ip", arguments: address.values)
  }

  /// Member of a group → pointer into `write_dest_ip_table`.
  static func member(_ transport: TransportProtocol, _ id: UInt32, pointer: UInt32) -> TableEntry {
    TableEntry(
      table: members(transport), key: [UInt64(id)],
      action: transport == .tcp ? "set_default_lb_dest" : "set_default_lb_dest_1",
      arguments: [UInt64(pointer)])
  }

  /// Service address and port → group.
  static func balance(
    _ transport: TransportProtocol, _ address: UpstreamAddress, group: UInt32
  ) -> TableEntry {
    TableEntry(
      table: balance(transport), key: address.values,
      action: "\(balance(transport))_set_group_id", arguments: [UInt64(group)])
  }

  /// Endpoint address and port → pointer into `write_source_ip_table`.
  static func reverse(
    _ transport: TransportProtocol, _ backend: UpstreamAddress, pointer: UInt32
  ) -> TableEntry {
    TableEntry(
      table: reverse(transport), key: backend.values,
      action: transport == .tcp ? "set_key_for_reverse_ct" : "set_key_for_reverse_ct_1",
      arguments: [UInt64(pointer)])
  }

  /// What an update is about: `set_meta_tcp 10.244.0.7:8080`.
  static func name(of update: Update) -> String {
    let (table, key): (String, [UInt64])
    switch update {
    case .insert(let row), .modify(let row): (table, key) = (row.table, row.key)
    case .delete(let name, let fields): (table, key) = (name, fields)
    case .setDefault(let table, _, _), .resetDefault(let table): return "\(table) default"
    case .setGroup(let selector, let group, _): return "\(selector) \(group)"
    }
    let first = key.first ?? 0
    let address = IPv4Address(UInt32(truncatingIfNeeded: first))
    if key.count == 2 { return "\(table) \(address):\(key[1])" }
    return table.hasSuffix("_to_port_table") ? "\(table) \(address)" : "\(table) \(first)"
  }

  private static func suffix(_ transport: TransportProtocol) -> String {
    transport == .tcp ? "tcp" : "udp"
  }
}

/// An address with a port: a Service's, or an endpoint's.
struct UpstreamAddress: Hashable, Sendable, CustomStringConvertible {
  var ip: IPv4Address
  var port: UInt16

  /// As the tables have it.
  var values: [UInt64] { [UInt64(ip.value), UInt64(port)] }

  var description: String { "\(ip):\(port)" }
}

/// A Service port as upstream's tables know it.
struct UpstreamServicePort: Hashable, Sendable, CustomStringConvertible {
  var transport: TransportProtocol
  var address: UpstreamAddress

  var description: String { "\(transport.name) \(address)" }
}

extension Intent.Service {
  /// Its ports with the backends that take new flows, each address and port once.
  var upstreamPorts: [(port: UpstreamServicePort, backends: [UpstreamBackend])] {
    ports.map { port in
      var seen: Set<UpstreamAddress> = []
      let backends = port.endpoints.filter { $0.weight > 0 }
        .map {
          UpstreamBackend(
            address: UpstreamAddress(ip: $0.address, port: $0.port), weight: $0.weight)
        }
        .filter { seen.insert($0.address).inserted }
      return (
        UpstreamServicePort(
          transport: port.transport, address: UpstreamAddress(ip: clusterIP, port: port.port)),
        backends
      )
    }
  }
}

/// An endpoint and its share of new flows.
struct UpstreamBackend: Hashable, Sendable {
  var address: UpstreamAddress
  var weight: UInt32
}
