import Core

extension Packet {
  /// Finds the headers: Ethernet, at most one VLAN tag, ARP or IPv4 with its
  /// options, TCP or UDP in the first fragment.
  @inline(__always)
  mutating func parse() {
    var type = u16(12)
    var offset = 14
    if type == 0x8100 {
      type = u16(16)
      offset = 18
    }
    if type == 0x0806 {
      arp = offset
      return
    }
    guard type == 0x0800 else { return }
    ipv4 = offset

    let versionAndLength = u8(offset)
    guard versionAndLength >= 0x45, versionAndLength <= 0x4F else {
      reason = .badIPHeader
      return
    }
    let payload = offset &+ Int(versionAndLength & 0xF) &* 4

    switch u16(offset &+ 6) & 0x3FFF {
    case 0: break
    case 0x2000: fragment = .first
    default:
      fragment = .later
      return
    }

    switch u8(offset &+ 9) {
    case 6:
      tcp = payload
      let flags = u8(payload &+ 13)
      if flags & 0x07 == 0 {
        tcpKind = .other
      } else if flags & 0x17 == 0x02 {
        tcpKind = .syn
      } else if flags & 0x04 != 0 {
        tcpKind = .rst
      } else if flags & 0x01 != 0 {
        tcpKind = .fin
      }
    case 17: udp = payload
    default: break
    }
  }

  /// The group bit of the destination: multicast or broadcast.
  @inline(__always)
  var isGroupAddressed: Bool { u8(0) & 1 != 0 }
}
