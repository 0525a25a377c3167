/// The tables of `k8s_dp.p4` as typed rows. Addresses, ports and MACs are host
/// order; a MAC uses the lower 48 bits.
public enum K8sDP {
  /// ARP for `target` leaves through `egress`.
  public static func arpTarget(_ target: UInt32, egress: PortID) -> TableEntry {
    TableEntry(
      table: "arp_targets", key: [UInt64(target)], action: "arp_forward",
      arguments: [UInt64(egress)])
  }
}
