import CForwarding
import Core

/// What a `virtio_net_hdr` says of a frame, held to the frame.
///
/// The kernel hands over TCP segments of up to 64 KiB whose checksum field holds the
/// sum of the pseudo header alone. The pipeline translates them like any other frame;
/// its corrections of that field are for full checksums, so the right partial sum is
/// put there when the frame leaves (virtio 1.2, 5.1.6.2; RFC 9293 3.1).
enum Offload {
  private static let tcp = UInt8(CFWD_GSO_TCPV4)
  private static let tcp6 = UInt8(CFWD_GSO_TCPV6)
  private static let udp = UInt8(CFWD_GSO_UDP_L4)
  private static let ecn = UInt8(CFWD_GSO_ECN)
  private static let needsChecksum = UInt8(CFWD_NEEDS_CSUM)
  private static let known = needsChecksum | UInt8(CFWD_DATA_VALID)

  /// Whether the header is true of the frame: what it points at lies within, and is
  /// the checksum of the frame's own transport header.
  static func isTrue(_ header: cfwd_offload, of frame: UnsafeRawBufferPointer) -> Bool {
    guard header.flags & ~known == 0 else { return false }
    let segments = header.gso_type & ~ecn
    guard header.flags & needsChecksum != 0 else { return header.gso_type == 0 }
    let start = Int(header.csum_start)
    let offset = Int(header.csum_offset)
    guard start >= EthernetHeader.length, start + offset + 2 <= frame.count else { return false }
    guard let ip = IPv4(frame) else {
      // Not translated, so not looked into; but segments of IPv4 it cannot be.
      return segments == 0 || (segments != tcp && header.gso_size > 0)
    }
    guard !ip.isFragment, start == ip.transport else { return false }
    switch ip.transportProtocol {
    case TransportProtocol.tcp.rawValue:
      return offset == TCPHeader.checksum
        && (segments == 0 || (segments == tcp && header.gso_size > 0))
    case TransportProtocol.udp.rawValue:
      return offset == UDPHeader.checksum
        && (segments == 0 || (segments == udp && header.gso_size > 0))
    default: return segments == 0
    }
  }

  /// Puts the sum of the pseudo header where the frame's new addresses ask for it.
  static func finish(_ header: cfwd_offload, _ frame: UnsafeMutableRawBufferPointer) {
    guard header.flags & needsChecksum != 0, let ip = IPv4(UnsafeRawBufferPointer(frame)),
      ip.transportProtocol == TransportProtocol.tcp.rawValue
        || ip.transportProtocol == TransportProtocol.udp.rawValue
    else { return }
    let field = Int(header.csum_start) + Int(header.csum_offset)
    guard field + 2 <= frame.count else { return }
    frame.storeBytes(of: ip.pseudoHeaderSum.bigEndian, toByteOffset: field, as: UInt16.self)
  }

  /// As much of an IPv4 header as an offload is about. The frame has passed the gate.
  private struct IPv4 {
    let transport: Int
    let transportProtocol: UInt8
    let isFragment: Bool
    let pseudoHeaderSum: UInt16

    init?(_ frame: UnsafeRawBufferPointer) {
      func word(_ i: Int) -> UInt32 {
        UInt32(UInt16(bigEndian: frame.loadUnaligned(fromByteOffset: i, as: UInt16.self)))
      }
      guard frame.count >= EthernetHeader.length + IPv4Header.length else { return nil }
      var start = EthernetHeader.length
      var type = UInt16(word(EthernetHeader.etherType))
      if type == EtherType.vlan {
        start += VLANTag.length
        guard frame.count >= start + IPv4Header.length else { return nil }
        type = UInt16(word(EthernetHeader.length + VLANTag.etherType))
      }
      guard type == EtherType.ipv4, frame[start] >> 4 == 4 else { return nil }
      let headerLength = Int(frame[start] & 0xF) * 4
      transport = start + headerLength
      transportProtocol = frame[start + IPv4Header.transport]
      let fragment = UInt16(word(start + IPv4Header.flagsAndOffset))
      isFragment = fragment & (IPv4Header.offsetMask | IPv4Header.moreFragments) != 0
      var sum =
        UInt32(transportProtocol) &+ word(start + IPv4Header.totalLength)
        &- UInt32(headerLength)
      for i in stride(from: start + 12, to: start + 20, by: 2) { sum &+= word(i) }
      sum = (sum & 0xFFFF) &+ (sum >> 16)
      pseudoHeaderSum = UInt16(truncatingIfNeeded: (sum & 0xFFFF) &+ (sum >> 16))
    }
  }
}
