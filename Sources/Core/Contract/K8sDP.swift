/// The tables of `k8s_dp.p4` as typed rows. Addresses, ports and MACs are host
/// order; a MAC uses the lower 48 bits.
public enum K8sDP {
  /// The port of the host: what the pipeline does not know goes there.
  public static let hostPort: PortID = 1

  /// Where a frame leaves, and the MACs it leaves with.
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

  /// ARP for `target` leaves through `egress`.
  public static func arpTarget(_ target: IPv4Address, egress: PortID) -> TableEntry {
    TableEntry(
      table: "arp_targets", key: [UInt64(target.value)], action: "arp_forward",
      arguments: [UInt64(egress)])
  }

  /// Packets to `address` are routed.
  public static func route(_ address: IPv4Address, _ hop: Hop) -> TableEntry {
    TableEntry(
      table: "routes", key: [UInt64(address.value)], action: "route_hop", arguments: hop.arguments)
  }

  /// `address` belongs to a Service: what is not translated is dropped.
  public static func vip(_ address: IPv4Address) -> TableEntry {
    TableEntry(table: "routes", key: [UInt64(address.value)], action: "route_vip")
  }

  /// A Service port with a power of two of slots.
  public static func service(
    _ address: IPv4Address, _ transport: TransportProtocol, _ port: UInt16, id: UInt32,
    slots: Int
  ) -> TableEntry {
    TableEntry(
      table: "services", key: [UInt64(address.value), UInt64(port), UInt64(transport.rawValue)],
      action: "service_select", arguments: [UInt64(id), UInt64(max(slots, 1) - 1)])
  }

  /// The endpoint of one slot of a Service port.
  ///
  /// - Parameter epoch: 0...127; raising it moves the UDP flows of the slot.
  public static func slot(
    service: UInt32, slot: Int, endpoint: UInt32, epoch: UInt8
  ) -> TableEntry {
    TableEntry(
      table: "slots", key: [UInt64(service), UInt64(slot)], action: "slot_endpoint",
      arguments: [UInt64(endpoint), UInt64(0x80 | epoch & 0x7F)])
  }

  /// An endpoint on this node, or, without a hop, one behind the host.
  ///
  /// - Parameter draining: it keeps its flows and takes no new one.
  public static func endpoint(
    id: UInt32, _ address: IPv4Address, _ port: UInt16, via hop: Hop?, draining: Bool
  ) -> TableEntry {
    let target = [UInt64(address.value), UInt64(port)]
    guard let hop else {
      return TableEntry(
        table: "endpoints", key: [UInt64(id)], action: "endpoint_host", arguments: target)
    }
    return TableEntry(
      table: "endpoints", key: [UInt64(id)],
      action: draining ? "endpoint_drain" : "endpoint_hop", arguments: target + hop.arguments)
  }
}
