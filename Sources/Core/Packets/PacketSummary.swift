/// A frame in one line, in the words of tcpdump and Wireshark.
public enum PacketSummary {
  /// Never fails: what the frame is too short for is called truncated.
  ///
  /// ```
  /// TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN] len 0
  /// ARP who-has 169.254.1.1 tell 10.244.0.6
  /// ```
  public static func line(_ frame: [UInt8]) -> String {
    let layers = FrameLayers(frame)
    guard frame.count >= EthernetHeader.length, let type = layers.etherType else {
      return "Ethernet, truncated at \(frame.count) bytes"
    }
    let tag = layers.vlan.map { "VLAN \($0 & 0xFFF) " } ?? ""
    switch type {
    case EtherType.arp: return tag + arp(layers)
    case EtherType.ipv4: return tag + ipv4(layers)
    default:
      let text =
        "Ethernet \(layers.mac(EthernetHeader.source) ?? .zero) > "
        + "\(layers.mac(EthernetHeader.destination) ?? .zero) type 0x\(hex(type))"
      return tag + text + (type == EtherType.ipv6 ? " (IPv6)" : "")
    }
  }

  private static func arp(_ layers: FrameLayers) -> String {
    let base = layers.network
    guard let operation = layers.u16(base + ARPHeader.operation),
      let senderMAC = layers.mac(base + ARPHeader.senderMAC),
      let sender = layers.address(base + ARPHeader.senderIP),
      let target = layers.address(base + ARPHeader.targetIP)
    else { return "ARP, truncated" }
    switch operation {
    case 1: return "ARP who-has \(target) tell \(sender)"
    case 2: return "ARP \(sender) is-at \(senderMAC)"
    default: return "ARP operation \(operation) \(sender) > \(target)"
    }
  }

  private static func ipv4(_ layers: FrameLayers) -> String {
    guard let ip = layers.ipv4 else {
      guard let first = layers.u8(layers.network) else { return "IPv4, truncated" }
      if first >> 4 != 4 { return "IPv4, bad version \(first >> 4)" }
      if first & 0xF < 5 { return "IPv4, bad header length \(Int(first & 0xF) * 4)" }
      return "IPv4, truncated"
    }
    let text = ip.offset > 0 ? laterFragment(ip) : transport(layers, ip)
    var notes = ""
    if ip.offset == 0, ip.hasMore { notes += ", first fragment id 0x\(identification(layers))" }
    if ip.offset > 0 { notes += " id 0x\(identification(layers))" }
    if ip.payloadLength < 0 {
      notes += ", bad total length \(ip.totalLength)"
    } else if ip.header.lowerBound + ip.totalLength > layers.frame.count {
      notes += ", truncated"
    }
    return text + notes
  }

  private static func identification(_ layers: FrameLayers) -> String {
    hex(layers.u16(layers.network + IPv4Header.identification) ?? 0)
  }

  private static func laterFragment(_ ip: IPv4Layer) -> String {
    "\(name(ip.transport)) \(ip.source) > \(ip.destination) fragment offset \(ip.offset)"
      + " len \(max(0, ip.payloadLength))" + (ip.hasMore ? "" : " last")
  }

  private static func transport(_ layers: FrameLayers, _ ip: IPv4Layer) -> String {
    let base = ip.header.upperBound
    // Padding behind the packet is no part of it.
    let end = min(layers.frame.count, ip.header.lowerBound + ip.totalLength)
    let hosts = "\(name(ip.transport)) \(ip.source) > \(ip.destination)"
    switch ip.transport {
    case TransportProtocol.tcp.rawValue:
      guard base + TCPHeader.length <= end,
        let source = layers.u16(base + TCPHeader.sourcePort),
        let destination = layers.u16(base + TCPHeader.destinationPort),
        let offset = layers.u8(base + TCPHeader.dataOffset),
        let flags = layers.u8(base + TCPHeader.flags)
      else { return hosts + ", truncated header" }
      let size = Int(offset >> 4) * 4
      let line =
        "TCP \(ip.source):\(source) > \(ip.destination):\(destination) "
        + "[\(TCPFlags(rawValue: flags))]"
      if size < TCPHeader.length || (size > ip.payloadLength && !ip.hasMore) {
        return line + ", bad data offset \(size)"
      }
      return line + " len \(max(0, ip.payloadLength - size))"
    case TransportProtocol.udp.rawValue:
      guard base + UDPHeader.length <= end,
        let source = layers.u16(base + UDPHeader.sourcePort),
        let destination = layers.u16(base + UDPHeader.destinationPort),
        let length = layers.u16(base + UDPHeader.datagramLength)
      else { return hosts + ", truncated header" }
      let line = "UDP \(ip.source):\(source) > \(ip.destination):\(destination)"
      if length < 8 || (!ip.hasMore && Int(length) > ip.payloadLength) {
        return line + ", bad length \(length)"
      }
      return line + " len \(Int(length) - UDPHeader.length)"
    case 1:
      guard base + ICMPHeader.length <= end, let type = layers.u8(base + ICMPHeader.type),
        let code = layers.u8(base + ICMPHeader.code)
      else { return hosts + ", truncated header" }
      let echo = layers.u32(base + ICMPHeader.rest) ?? 0
      let detail = type == 0 || type == 8 ? " id \(echo >> 16) seq \(echo & 0xFFFF)" : ""
      return "\(hosts) \(icmp(type, code))\(detail)"
    default:
      return hosts + " len \(max(0, ip.payloadLength))"
    }
  }

  private static func icmp(_ type: UInt8, _ code: UInt8) -> String {
    switch type {
    case 0: "echo reply"
    case 3: code == 4 ? "fragmentation needed" : "destination unreachable code \(code)"
    case 8: "echo request"
    case 11: "time exceeded"
    default: "type \(type) code \(code)"
    }
  }

  /// Keywords of IANA's protocol numbers.
  private static func name(_ transport: UInt8) -> String {
    switch transport {
    case 1: "ICMP"
    case 6: "TCP"
    case 17: "UDP"
    case 132: "SCTP"
    default: "IPv4 protocol \(transport)"
    }
  }

  private static func hex(_ value: UInt16) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
