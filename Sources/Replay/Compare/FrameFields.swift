/// Names the header field that a byte of a frame belongs to.
struct FrameFields {
  private var fields: [(range: Range<Int>, name: String)] = []

  /// Lays the headers over a frame as its own bytes say.
  init(_ bytes: [UInt8]) {
    add(0, [("destination MAC", 6), ("source MAC", 6), ("EtherType", 2)])
    var at = 14
    var type = bytes.big16(12)
    if type == 0x8100 {
      add(14, [("VLAN tag", 2), ("EtherType", 2)])
      type = bytes.big16(16)
      at = 18
    }
    if type == 0x0806 {
      add(
        at,
        [
          ("ARP hardware type", 2), ("ARP protocol type", 2), ("ARP lengths", 2),
          ("ARP operation", 2), ("ARP sender MAC", 6), ("ARP sender address", 4),
          ("ARP target MAC", 6), ("ARP target address", 4),
        ])
    }
    guard type == 0x0800, at + 20 <= bytes.count else { return }
    let header = max(20, Int(bytes[at] & 15) * 4)
    add(
      at,
      [
        ("IPv4 version and header length", 1), ("IPv4 DSCP and ECN", 1), ("IPv4 length", 2),
        ("IPv4 identification", 2), ("IPv4 fragment", 2), ("IPv4 TTL", 1), ("IPv4 protocol", 1),
        ("IPv4 checksum", 2), ("IPv4 source", 4), ("IPv4 destination", 4),
        ("IPv4 options", header - 20),
      ])
    guard let fragment = bytes.big16(at + 6), fragment & 0x1FFF == 0 else { return }
    switch bytes[at + 9] {
    case 6:
      add(
        at + header,
        [
          ("TCP source port", 2), ("TCP destination port", 2), ("TCP sequence number", 4),
          ("TCP acknowledgement number", 4), ("TCP header length", 1), ("TCP flags", 1),
          ("TCP window", 2), ("TCP checksum", 2), ("TCP urgent pointer", 2),
        ])
    case 17:
      add(
        at + header,
        [
          ("UDP source port", 2), ("UDP destination port", 2), ("UDP length", 2),
          ("UDP checksum", 2),
        ])
    case 1:
      add(at + header, [("ICMP type", 1), ("ICMP code", 1), ("ICMP checksum", 2)])
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
