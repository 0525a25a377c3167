import Core

/// Names the header field that a byte of a frame belongs to.
struct FrameFields {
  private var fields: [(range: Range<Int>, name: String)] = []

  /// Lays the headers over a frame as its own bytes say.
  init(_ bytes: [UInt8]) {
    let layers = FrameLayers(bytes)
    add(0, [("destination MAC", 6), ("source MAC", 6), ("EtherType", 2)])
    if layers.vlan != nil {
      add(EthernetHeader.length, [("VLAN tag", 2), ("EtherType", 2)])
    }
    if layers.etherType == EtherType.arp {
      add(
        layers.network,
        [
          ("ARP hardware type", 2), ("ARP protocol type", 2), ("ARP lengths", 2),
          ("ARP operation", 2), ("ARP sender MAC", 6), ("ARP sender address", 4),
          ("ARP target MAC", 6), ("ARP target address", 4),
        ])
    }
    guard let ip = layers.ipv4 else { return }
    add(
      layers.network,
      [
        ("IPv4 version and header length", 1), ("IPv4 DSCP and ECN", 1), ("IPv4 length", 2),
        ("IPv4 identification", 2), ("IPv4 fragment", 2), ("IPv4 TTL", 1), ("IPv4 protocol", 1),
        ("IPv4 checksum", 2), ("IPv4 source", 4), ("IPv4 destination", 4),
        ("IPv4 options", ip.header.count - IPv4Header.length),
      ])
    guard ip.offset == 0 else { return }
    let payload = ip.header.upperBound
    switch ip.transport {
    case TransportProtocol.tcp.rawValue:
      add(
        payload,
        [
          ("TCP source port", 2), ("TCP destination port", 2), ("TCP sequence number", 4),
          ("TCP acknowledgement number", 4), ("TCP header length", 1), ("TCP flags", 1),
          ("TCP window", 2), ("TCP checksum", 2), ("TCP urgent pointer", 2),
        ])
    case TransportProtocol.udp.rawValue:
      add(
        payload,
        [
          ("UDP source port", 2), ("UDP destination port", 2), ("UDP length", 2),
          ("UDP checksum", 2),
        ])
    case 1: add(payload, [("ICMP type", 1), ("ICMP code", 1), ("ICMP checksum", 2)])
    default: break
    }
  }

  /// The fields of some bytes, each once, in order of the frame.
  func names(of offsets: [Int]) -> [String] {
    var names: [String] = []
    for offset in offsets {
      let name = fields.first { $0.range.contains(offset) }?.name ?? "payload"
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private mutating func add(_ start: Int, _ parts: [(String, Int)]) {
    var at = start
    for (name, length) in parts {
      fields.append((at..<at + length, name))
      at += length
    }
  }
}
