/// The two ends that a frame is between, to tell which frames of a batch must be
/// processed in order: those that may touch the same flow, when one of them may open,
/// close or change it. TCP segments without SYN, FIN and RST only keep a flow alive, in
/// any order.
///
/// An end is an IPv4 address and a port in one number: bit 63 set, the address in bits
/// 16 to 47, the port in bits 0 to 15. Port 0 stands for any: fragments and protocols
/// without ports. 0 is no end at all: frames that are not IPv4 touch no flow.
/// ``change`` is set in the source of a frame that may change a flow.
public struct ConversationEnds: Hashable, Sendable {
  public var source: UInt64
  public var destination: UInt64

  /// Bit 62.
  @inlinable public static var change: UInt64 { 1 << 62 }

  @inlinable public static var none: Self { Self(source: 0, destination: 0) }

  @inlinable
  public init(source: UInt64, destination: UInt64) {
    self.source = source
    self.destination = destination
  }

  /// Of a frame that ``FrameGate`` has let pass.
  ///
  /// - Parameter frame: The first byte of an Ethernet frame; any alignment.
  @inlinable @inline(__always)
  public init(_ frame: UnsafeRawPointer) {
    var start = EthernetHeader.length
    var type = FrameGate.field(frame, EthernetHeader.etherType)
    if type == EtherType.vlan {
      start = EthernetHeader.length &+ VLANTag.length
      type = FrameGate.field(frame, EthernetHeader.length &+ VLANTag.etherType)
    }
    guard type == EtherType.ipv4 else {
      self = .none
      return
    }
    let ip = frame + start
    let first = ip.load(as: UInt8.self)
    // The pipeline refuses it before it looks for a flow.
    guard first >> 4 == 4, first & 0xF >= 5 else {
      self = .none
      return
    }
    source = Self.address(ip, IPv4Header.source) | Self.change
    destination = Self.address(ip, IPv4Header.destination)
    let fragment = FrameGate.field(ip, IPv4Header.flagsAndOffset)
    let transport = ip.load(fromByteOffset: IPv4Header.transport, as: UInt8.self)
    guard fragment & (IPv4Header.offsetMask | IPv4Header.moreFragments) == 0,
      transport == TransportProtocol.tcp.rawValue || transport == TransportProtocol.udp.rawValue
    else { return }
    let header = ip + Int(first & 0xF) &* 4
    // TCP's and UDP's ports are at the same place (RFC 9293, RFC 768).
    source |= UInt64(FrameGate.field(header, TCPHeader.sourcePort))
    destination |= UInt64(FrameGate.field(header, TCPHeader.destinationPort))
    guard transport == TransportProtocol.tcp.rawValue else { return }
    let flags = TCPFlags(rawValue: header.load(fromByteOffset: TCPHeader.flags, as: UInt8.self))
    if flags.isDisjoint(with: [.syn, .fin, .rst]) { source &= ~Self.change }
  }

  @inlinable @inline(__always)
  static func address(_ ip: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    let address = UInt32(bigEndian: ip.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    return 1 << 63 | UInt64(address) << 16
  }
}
