import Core

/// The TCP or UDP header of a frame that is not a fragment: the one whose ports and
/// checksum a pipeline rewrites. Behind at most one VLAN tag and, in IPv6, no
/// extension header.
struct TransportHeader: Equatable {
  var isIPv6: Bool
  var isTCP: Bool
  /// Bytes of the frame before it.
  var start: Int
  /// Bytes of it and its payload, as the IP header has it.
  var length: Int
  /// The bytes of both addresses, from here on.
  var addresses: Int

  /// Where the checksum is in it.
  var checksumOffset: Int { isTCP ? TCPHeader.checksum : UDPHeader.checksum }
  var transport: TransportProtocol { isTCP ? .tcp : .udp }

  /// Reads no byte at or beyond `available`, and finds only headers that are whole.
  init?(_ frame: UnsafeRawPointer, available: Int) {
    func field(_ offset: Int) -> UInt16 {
      UInt16(bigEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }
    guard available >= EthernetHeader.length + IPv4Header.length else { return nil }
    var ip = EthernetHeader.length
    var type = field(EthernetHeader.etherType)
    if type == EtherType.vlan {
      ip += VLANTag.length
      guard available >= ip + IPv4Header.length else { return nil }
      type = field(EthernetHeader.length + VLANTag.etherType)
    }
    let first = frame.load(fromByteOffset: ip, as: UInt8.self)
    let next: UInt8
    if type == EtherType.ipv4 {
      guard first >> 4 == 4, first & 0xF >= 5 else { return nil }
      let header = Int(first & 0xF) * 4
      let fragment = field(ip + IPv4Header.flagsAndOffset)
      guard fragment & (IPv4Header.offsetMask | IPv4Header.moreFragments) == 0 else { return nil }
      isIPv6 = false
      addresses = ip + IPv4Header.source
      start = ip + header
      length = Int(field(ip + IPv4Header.totalLength)) - header
      next = frame.load(fromByteOffset: ip + IPv4Header.transport, as: UInt8.self)
    } else if type == EtherType.ipv6 {
      guard available >= ip + IPv6Header.length, first >> 4 == 6 else { return nil }
      isIPv6 = true
      addresses = ip + IPv6Header.source
      start = ip + IPv6Header.length
      length = Int(field(ip + IPv6Header.payloadLength))
      next = frame.load(fromByteOffset: ip + IPv6Header.nextHeader, as: UInt8.self)
    } else {
      return nil
    }
    guard let transport = TransportProtocol(rawValue: next) else { return nil }
    isTCP = transport == .tcp
    guard length >= (isTCP ? TCPHeader.length : UDPHeader.length), start + length <= available
    else { return nil }
  }

  /// Bytes of the frame up to the payload, or nil when the header does not end
  /// within the packet.
  func headersEnd(_ frame: UnsafeRawPointer) -> Int? {
    guard isTCP else { return start + UDPHeader.length }
    let offset = frame.load(fromByteOffset: start + TCPHeader.dataOffset, as: UInt8.self)
    let size = Int(offset >> 4) * 4
    guard size >= TCPHeader.length, size <= length else { return nil }
    return start + size
  }

  /// The folded sum of the pseudo header (RFC 9293 3.1, RFC 8200 8.1), which is what
  /// the checksum field holds while the checksum is still to be made.
  func pseudoHeaderSum(_ frame: UnsafeRawPointer) -> UInt16 {
    let bytes = UnsafeRawBufferPointer(start: frame + addresses, count: isIPv6 ? 32 : 8)
    return Checksum.sum(bytes, initial: UInt64(transport.rawValue) + UInt64(length))
  }
}
