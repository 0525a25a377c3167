import Core

/// Forwards between pods by the tables `routes` and `arp_targets`. It knows no Service.
final class Router: Dataplane {
  let name = "router"
  let contract = K8sDP.contract
  let clock = EngineClock.model
  private var store = TableStore(contract: K8sDP.contract)
  private var rows: [String: TableEntry] = [:]
  private var counted = Counters()

  func apply(_ updates: [Update]) throws(DataplaneError) {
    for change in try store.commit(updates) {
      switch change {
      case .set(let entry, _): rows[entry.table + "\(entry.key)"] = entry
      case .delete(let entry): rows[entry.table + "\(entry.key)"] = nil
      default: break
      }
    }
  }

  func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    try store.entries(of: table)
  }

  func setTimer(_ profile: Int, seconds: UInt32) {}
  func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }
  func counters() -> Counters { counted }

  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    let verdict = forward(&frame)
    counted.count(verdict)
    return verdict
  }

  private func forward(_ frame: inout [UInt8]) -> Verdict {
    let layers = FrameLayers(frame)
    if layers.etherType == EtherType.arp,
      let target = layers.address(layers.network + ARPHeader.targetIP)
    {
      return .forward(PortID(rows["arp_targets[\(target.value)]"]?.arguments[0] ?? 1))
    }
    guard let ip = layers.ipv4, let route = rows["routes[\(ip.destination.value)]"],
      route.action == "route_hop"
    else { return .forward(K8sDP.hostPort) }
    let start = ip.header.lowerBound
    let (ttl, sum) = (start + IPv4Header.ttl, start + IPv4Header.checksum)
    guard let word = layers.u16(ttl), let old = layers.u16(sum), word >= 0x200 else {
      return .drop(.ttlExpired)
    }
    frame.set(MACAddress(route.arguments[1]), at: EthernetHeader.destination)
    frame.set(MACAddress(route.arguments[2]), at: EthernetHeader.source)
    frame.set(word - 0x100, at: ttl)
    frame.set(Checksum.update(old, from: word, to: word - 0x100), at: sum)
    return .forward(PortID(route.arguments[0]))
  }
}
