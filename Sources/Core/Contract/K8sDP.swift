/// The tables of the `k8s_dp` pipeline as typed builders.
///
/// Field orders are those of `k8s_dp.p4`; every value is host order.
public enum K8sDP {
  /// The port of the host: what the pipeline does not know goes there.
  public static let hostPort: PortID = 1

  /// The register array of the counter `drops`, indexed by drop reason.
  public static let dropsRegister = "drops_0"
  public static let dropsRegisterSize = 32

  /// The table of flows, which the pipeline fills itself.
  public static let flowsTable = "flows"

  /// Tables that the control plane fills, with the most entries each holds.
  public enum Table: String, CaseIterable, Hashable, Sendable {
    /// ARP target address → egress port.
    case arpTargets = "arp_targets"
    /// IPv4 destination → next hop, or "this is a Service".
    case routes
    /// Service address, port and protocol → Service id and slot mask.
    case services
    /// Service id and row → endpoint id and epoch of ``slotsPerRow`` slots.
    case slots
    /// Endpoint id → where it is.
    case endpoints

    public var name: String { rawValue }

    public var size: Int {
      switch self {
      case .arpTargets, .routes: 131_072
      case .services: 32_768
      case .slots: 524_288
      case .endpoints: 262_144
      }
    }
  }

  /// Where a frame leaves and the Ethernet addresses it leaves with.
  public struct Hop: Hashable, Sendable {
    public var egress: PortID
    public var dstMAC: MACAddress
    public var srcMAC: MACAddress

    public init(egress: PortID, dstMAC: MACAddress, srcMAC: MACAddress) {
      self.egress = egress
      self.dstMAC = dstMAC
      self.srcMAC = srcMAC
    }

    var arguments: [UInt64] { [UInt64(egress), dstMAC.value, srcMAC.value] }
  }

  /// What an endpoint row does.
  public enum EndpointTarget: Hashable, Sendable {
    /// On this node, taking new flows.
    case hop(Hop)
    /// On this node, keeping its TCP flows and taking no new one.
    case drain(Hop)
    /// Elsewhere: reached through the host.
    case host
  }

  /// `arp_targets[tpa]` → `arp_forward(egress)`.
  public static func arpTarget(_ target: IPv4Address, egress: PortID) -> TableEntry {
    entry(.arpTargets, [UInt64(target.value)], "arp_forward", [UInt64(egress)])
  }

  /// `routes[dst]` → `route_hop(egress, dmac, smac)`.
  public static func route(_ destination: IPv4Address, _ hop: Hop) -> TableEntry {
    entry(.routes, [UInt64(destination.value)], "route_hop", hop.arguments)
  }

  /// `routes[dst]` → `route_vip()`: the address belongs to Services.
  public static func routeVIP(_ destination: IPv4Address) -> TableEntry {
    entry(.routes, [UInt64(destination.value)], "route_vip", [])
  }

  /// The key of `services`: dst, port, protocol.
  public static func serviceKey(
    _ address: IPv4Address, port: UInt16, transport: TransportProtocol
  ) -> [UInt64] {
    [UInt64(address.value), UInt64(port), UInt64(transport.rawValue)]
  }

  /// `services[dst, port, protocol]` → `service_select(id, mask)`.
  ///
  /// - Parameter mask: Slots − 1, the slots being a power of two and at least
  ///   ``slotsPerRow``, also when there is no row of them at all.
  public static func service(
    _ address: IPv4Address, port: UInt16, transport: TransportProtocol, id: UInt32, mask: UInt32
  ) -> TableEntry {
    entry(
      .services, serviceKey(address, port: port, transport: transport), "service_select",
      [UInt64(id), UInt64(mask)])
  }

  /// Slots in a row of `slots`.
  public static let slotsPerRow = 4

  /// Where new flows of a slot go.
  public struct Slot: Hashable, Sendable {
    /// The endpoint's id.
    public var endpoint: UInt32
    /// 0...127. A flow pinned under another epoch than its slot's present one moves, if it
    /// is UDP.
    public var epoch: UInt8

    public init(endpoint: UInt32, epoch: UInt8) {
      self.endpoint = endpoint
      self.epoch = epoch
    }

    /// The kind of UDP flows that are pinned from it.
    var kind: UInt8 { 0x80 | epoch & 0x7F }
  }

  /// `slots[service, row]` → `slot_endpoints(id0, kind0, …, id3, kind3)`.
  ///
  /// - Parameters:
  ///   - row: has the slots from ``slotsPerRow`` × row on.
  ///   - slots: ``slotsPerRow``. `kind` is 0x80 | epoch.
  public static func slots(service: UInt32, row: UInt32, _ slots: [Slot]) -> TableEntry {
    precondition(slots.count == slotsPerRow)
    var arguments: [UInt64] = []
    arguments.reserveCapacity(2 * slotsPerRow)
    for slot in slots {
      arguments.append(UInt64(slot.endpoint))
      arguments.append(UInt64(slot.kind))
    }
    return entry(.slots, [UInt64(service), UInt64(row)], "slot_endpoints", arguments)
  }

  /// What ``slots(service:row:_:)`` made a row of.
  public static func slots(in row: TableEntry) -> [Slot] {
    stride(from: 0, to: row.arguments.count - 1, by: 2).map {
      Slot(
        endpoint: UInt32(truncatingIfNeeded: row.arguments[$0]),
        epoch: UInt8(truncatingIfNeeded: row.arguments[$0 + 1] & 0x7F))
    }
  }

  /// `endpoints[id]` → `endpoint_hop` or `endpoint_drain` (ip, port, egress,
  /// dmac, smac), or `endpoint_host(ip, port)`.
  public static func endpoint(
    _ id: UInt32, address: IPv4Address, port: UInt16, _ target: EndpointTarget
  ) -> TableEntry {
    let head = [UInt64(address.value), UInt64(port)]
    switch target {
    case .hop(let hop):
      return entry(.endpoints, [UInt64(id)], "endpoint_hop", head + hop.arguments)
    case .drain(let hop):
      return entry(.endpoints, [UInt64(id)], "endpoint_drain", head + hop.arguments)
    case .host:
      return entry(.endpoints, [UInt64(id)], "endpoint_host", head)
    }
  }

  /// A deletion of the row with that key.
  public static func delete(_ table: Table, key: [UInt64]) -> Update {
    .delete(table: table.name, key: key)
  }

  private static func entry(
    _ table: Table, _ key: [UInt64], _ action: String, _ arguments: [UInt64]
  ) -> TableEntry {
    TableEntry(table: table.name, key: key, action: action, arguments: arguments)
  }
}
