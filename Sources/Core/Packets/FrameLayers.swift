/// Where the headers of a frame begin, as far as the frame goes.
///
/// Every read is bounds-checked: a field that is not there is nil.
/// Values are host order.
public struct FrameLayers {
  public let frame: [UInt8]
  /// Behind the VLAN tag if there is one; nil when the frame ends before.
  public let etherType: UInt16?
  /// Tag control information: priority 3 bits, DEI 1, VLAN id 12.
  public let vlan: UInt16?
  /// The first byte behind the Ethernet header and its tag.
  public let network: Int

  public init(_ frame: [UInt8]) {
    self.frame = frame
    let outer = Self.word(frame, EthernetHeader.etherType)
    if outer == EtherType.vlan {
      vlan = Self.word(frame, EthernetHeader.length + VLANTag.control)
      etherType = Self.word(frame, EthernetHeader.length + VLANTag.etherType)
      network = EthernetHeader.length + VLANTag.length
    } else {
      vlan = nil
      etherType = outer
      network = EthernetHeader.length
    }
  }

  private static func word(_ frame: [UInt8], _ offset: Int) -> UInt16? {
    guard offset >= 0, offset + 2 <= frame.count else { return nil }
    return UInt16(frame[offset]) << 8 | UInt16(frame[offset + 1])
  }

  public func u8(_ offset: Int) -> UInt8? { frame.indices.contains(offset) ? frame[offset] : nil }

  public func u16(_ offset: Int) -> UInt16? { Self.word(frame, offset) }

  public func u32(_ offset: Int) -> UInt32? {
    guard let high = u16(offset), let low = u16(offset + 2) else { return nil }
    return UInt32(high) << 16 | UInt32(low)
  }

  public func address(_ offset: Int) -> IPv4Address? { u32(offset).map { IPv4Address($0) } }

  public func mac(_ offset: Int) -> MACAddress? {
    guard let high = u16(offset), let low = u32(offset + 2) else { return nil }
    return MACAddress(UInt64(high) << 32 | UInt64(low))
  }

  /// The IPv4 header, if all of it is there.
  public var ipv4: IPv4Layer? {
    guard etherType == EtherType.ipv4, let first = u8(network + IPv4Header.versionAndIHL),
      first >> 4 == 4, first & 0xF >= 5, network + Int(first & 0xF) * 4 <= frame.count,
      let total = u16(network + IPv4Header.totalLength),
      let fragment = u16(network + IPv4Header.flagsAndOffset),
      let transport = u8(network + IPv4Header.transport),
      let source = address(network + IPv4Header.source),
      let destination = address(network + IPv4Header.destination)
    else { return nil }
    return IPv4Layer(
      header: network..<(network + Int(first & 0xF) * 4), totalLength: Int(total),
      offset: Int(fragment & IPv4Header.offsetMask) * 8,
      hasMore: fragment & IPv4Header.moreFragments != 0, transport: transport, source: source,
      destination: destination)
  }
}

/// The fields of an IPv4 header that say how to read on.
public struct IPv4Layer: Hashable, Sendable {
  /// Bytes of the frame.
  public var header: Range<Int>
  /// As the header has it, in bytes; the frame may be shorter or longer.
  public var totalLength: Int
  /// Fragment offset in bytes.
  public var offset: Int
  public var hasMore: Bool
  public var transport: UInt8
  public var source: IPv4Address
  public var destination: IPv4Address

  public var isFragment: Bool { hasMore || offset != 0 }
  /// Bytes behind the header, as the header has it.
  public var payloadLength: Int { totalLength - header.count }
}
