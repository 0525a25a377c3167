import Core

/// A frame in one line: `TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN]`.
///
/// It reads no byte behind the frame and has a line for every frame, however
/// broken.
public enum FrameSummary {
  public static func describe(_ bytes: [UInt8]) -> String {
    guard var type = bytes.big16(12) else { return "cut short, \(bytes.count) bytes" }
    var offset = 14
    var prefix = ""
    if type == 0x8100, let tag = bytes.big16(14), let inner = bytes.big16(16) {
      prefix = "VLAN \(tag & 0xFFF) "
      type = inner
      offset = 18
    }
    switch type {
    case 0x0800: return prefix + ipv4(bytes, offset)
    case 0x0806: return prefix + arp(bytes, offset)
    case 0x86DD: return prefix + "IPv6, \(bytes.count) bytes"
    case ..<0x0600: return prefix + "IEEE 802.3, \(bytes.count) bytes"
    default:
      return prefix + "EtherType 0x" + String(type, radix: 16) + ", \(bytes.count) bytes"
    }
  }

  private static func arp(_ bytes: [UInt8], _ at: Int) -> String {
    guard let operation = bytes.big16(at + 6), let sender = bytes.big32(at + 14),
      let target = bytes.big32(at + 24)
    else { return "ARP cut short" }
    let from = IPv4Address(sender)
    switch operation {
    case 1: return "ARP who has \(IPv4Address(target))? tell \(from)"
    case 2:
      let mac = bytes[(at + 8)..<(at + 14)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return "ARP \(from) is at \(MACAddress(mac))"
    default: return "ARP operation \(operation)"
    }
  }

  private static func ipv4(_ bytes: [UInt8], _ at: Int) -> String {
    guard let source = bytes.big32(at + 12), let destination = bytes.big32(at + 16) else {
      return "IPv4 cut short"
    }
    let header = Int(bytes[at] & 15) * 4
    let from = IPv4Address(source)
    let to = IPv4Address(destination)
    guard bytes[at] >> 4 == 4, header >= 20 else { return "IPv4 \(from) > \(to) bad header" }
    let fragment = bytes.big16(at + 6) ?? 0
    let protocolName = name(bytes[at + 9])
    if fragment & 0x1FFF != 0 {
      return "\(protocolName) \(from) > \(to) fragment at \(Int(fragment & 0x1FFF) * 8)"
    }
    let more = fragment & 0x2000 != 0 ? " first fragment" : ""
    let payload = at + header
    switch bytes[at + 9] {
    case 6, 17:
      guard let sport = bytes.big16(payload), let dport = bytes.big16(payload + 2) else {
        return "\(protocolName) \(from) > \(to) cut short\(more)"
      }
      let ends = "\(protocolName) \(from):\(sport) > \(to):\(dport)"
      if bytes[at + 9] == 17 {
        return ends + " length \((bytes.big16(payload + 4) ?? 0))" + more
      }
      guard payload + 13 < bytes.count else { return "\(ends) cut short\(more)" }
      return ends + " [\(flags(bytes[payload + 13]))]" + more
    case 1:
      guard payload < bytes.count else { return "ICMP \(from) > \(to) cut short" }
      return "ICMP \(from) > \(to) \(icmp(bytes[payload]))\(more)"
    default:
      return "IPv4 \(from) > \(to) \(protocolName)\(more)"
    }
  }

  private static func name(_ number: UInt8) -> String {
    switch number {
    case 1: "ICMP"
    case 6: "TCP"
    case 17: "UDP"
    default: "protocol \(number)"
    }
  }

  private static func icmp(_ type: UInt8) -> String {
    switch type {
    case 0: "echo reply"
    case 3: "destination unreachable"
    case 5: "redirect"
    case 8: "echo request"
    case 11: "time exceeded"
    default: "type \(type)"
    }
  }

  /// In the order tcpdump and Wireshark show them, from the low bit.
  private static func flags(_ bits: UInt8) -> String {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
    return names.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
      .joined(separator: " ")
  }
}

extension [UInt8] {
  /// Two bytes in network order, or nil when the array ends before them.
  func big16(_ at: Int) -> UInt16? {
    guard at + 2 <= count else { return nil }
    return UInt16(self[at]) << 8 | UInt16(self[at + 1])
  }

  /// Four bytes in network order, or nil when the array ends before them.
  func big32(_ at: Int) -> UInt32? {
    guard let high = big16(at), let low = big16(at + 2) else { return nil }
    return UInt32(high) << 16 | UInt32(low)
  }
}
