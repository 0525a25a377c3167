/// What the host checks before a frame enters a pipeline, because P4 cannot see
/// lengths: a frame that passes holds every header the pipeline may look at.
public enum FrameGate {
  /// Reads a big-endian 16-bit field.
  @inlinable @inline(__always)
  static func field(_ base: UnsafeRawPointer, _ offset: Int) -> UInt16 {
    UInt16(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// Says why the frame must not enter, or nil when it may.
  ///
  /// Frames that are neither ARP nor IPv4 pass, and so do frames whose IPv4
  /// header the pipeline itself refuses (version, IHL), so that every drop has
  /// one reason on every host. Reads no byte at or beyond `length`.
  ///
  /// - Parameters:
  ///   - frame: The first byte of an Ethernet frame; any alignment.
  ///   - length: Bytes of the frame, without frame check sequence.
  /// - Returns: ``DropReason/truncated``, ``DropReason/badLength`` or nil.
  @inlinable @inline(__always)
  public static func check(_ frame: UnsafeRawPointer, length: Int) -> DropReason? {
    guard length >= EthernetHeader.length else { return .truncated }
    var start = EthernetHeader.length
    var type = field(frame, EthernetHeader.etherType)
    if type == EtherType.vlan {
      start = EthernetHeader.length &+ VLANTag.length
      guard length >= start else { return .truncated }
      type = field(frame, EthernetHeader.length &+ VLANTag.etherType)
    }
    let available = length &- start
    if type == EtherType.ipv4 { return checkIPv4(frame + start, available: available) }
    if type == EtherType.arp, available < ARPHeader.length { return .truncated }
    return nil
  }

  /// - Parameters:
  ///   - ip: The first byte behind the Ethernet header and its tag.
  ///   - available: Bytes from there to the end of the frame.
  @inlinable @inline(__always)
  static func checkIPv4(_ ip: UnsafeRawPointer, available: Int) -> DropReason? {
    guard available >= IPv4Header.length else { return .truncated }
    let first = ip.load(as: UInt8.self)
    guard first >> 4 == 4, first & 0xF >= 5 else { return nil }
    let header = Int(first & 0xF) &* 4
    guard available >= header else { return .truncated }
    let total = Int(field(ip, IPv4Header.totalLength))
    guard total >= header, total <= available else { return .badLength }

    let fragment = field(ip, IPv4Header.flagsAndOffset)
    guard fragment & IPv4Header.offsetMask == 0 else { return nil }
    let more = fragment & IPv4Header.moreFragments != 0
    let payload = total &- header
    let transport = ip.load(fromByteOffset: IPv4Header.transport, as: UInt8.self)
    if transport == TransportProtocol.tcp.rawValue {
      guard payload >= TCPHeader.length else { return .truncated }
      let offset = ip.load(fromByteOffset: header &+ TCPHeader.dataOffset, as: UInt8.self)
      let size = Int(offset >> 4) &* 4
      guard size >= TCPHeader.length, more || size <= payload else { return .badLength }
    } else if transport == TransportProtocol.udp.rawValue {
      guard payload >= UDPHeader.length else { return .truncated }
      let size = Int(field(ip, header &+ UDPHeader.datagramLength))
      guard size >= UDPHeader.length, more || size <= payload else { return .badLength }
    }
    return nil
  }
}
