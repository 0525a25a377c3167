import Core

/// What the pipeline knows of the packet in flight: P4's headers and metadata.
///
/// Offsets are from the first byte of the frame; 0 means "no such header".
struct Packet {
  let frame: UnsafeMutableRawPointer
  let now: UInt64

  // Headers.
  var ipv4 = 0
  var tcp = 0
  var udp = 0
  var arp = 0
  var tcpKind = TCPKind.other
  var fragment = FragmentKind.none

  // The packet's own tuple.
  var src: UInt32 = 0
  var dst: UInt32 = 0
  var srcPort: UInt16 = 0
  var dstPort: UInt16 = 0
  var key = FlowKey.zero
  var hash: UInt32 = 0

  // How to translate and where to.
  var translate = NAT.none
  var endpoint: UInt32 = 0
  var newIP: UInt32 = 0
  var newPort: UInt16 = 0
  var next = NextHop.host
  var routed = false
  var egress: PortID = 1
  var dstMAC: UInt64 = 0
  var srcMAC: UInt64 = 0
  var reason: DropReason?

  init(frame: UnsafeMutableRawPointer, now: UInt64) {
    self.frame = frame
    self.now = now
  }
}

/// What a TCP packet means to a flow.
enum TCPKind {
  case other
  /// SYN without ACK, FIN or RST, whatever the ECN bits: opens a connection.
  case syn
  case fin
  case rst
}

enum FragmentKind {
  case none
  case first
  case later
}

/// What the route or the endpoint knows of the way.
enum NextHop: UInt8 {
  /// Not known here: to the host, unmodified.
  case host
  /// Rewrite MACs and decrement TTL.
  case hop
  /// The same, to an endpoint that takes no new flow.
  case drain
  /// The address of a Service.
  case vip
}

/// Big-endian fields of a frame. The host has made sure that they exist.
extension Packet {
  @inline(__always)
  func u8(_ offset: Int) -> UInt8 { frame.load(fromByteOffset: offset, as: UInt8.self) }

  @inline(__always)
  func u16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  @inline(__always)
  func u32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  @inline(__always)
  func set(_ value: UInt8, at offset: Int) {
    frame.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }

  @inline(__always)
  func set(_ value: UInt16, at offset: Int) {
    frame.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
  }

  @inline(__always)
  func set(_ value: UInt32, at offset: Int) {
    frame.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// Stores the lower 48 bits.
  @inline(__always)
  func setMAC(_ value: UInt64, at offset: Int) {
    set(UInt32(truncatingIfNeeded: value &>> 16), at: offset)
    set(UInt16(truncatingIfNeeded: value), at: offset &+ 4)
  }
}
