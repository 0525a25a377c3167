/// The 16 bytes by which a flow entry is found, as two little-endian words:
///
/// ```
/// byte  0    4        6    10       12   13  15
///       src  sport    dst  dport    kind mix
/// ```
struct FlowKey: Equatable {
  var low: UInt64
  var high: UInt64

  @inline(__always)
  init(src: UInt32, srcPort: UInt16, dst: UInt32, dstPort: UInt16, kind: UInt8, mix: UInt32) {
    low = UInt64(src) | UInt64(srcPort) &<< 32 | UInt64(dst & 0xFFFF) &<< 48
    high =
      UInt64(dst &>> 16) | UInt64(dstPort) &<< 16 | UInt64(kind) &<< 32 | UInt64(mix) &<< 40
  }

  static let zero = FlowKey(src: 0, srcPort: 0, dst: 0, dstPort: 0, kind: 0, mix: 0)

  /// 24 bits of jhash over addresses and ports.
  @inline(__always)
  static func mix(src: UInt32, srcPort: UInt16, dst: UInt32, dstPort: UInt16) -> UInt32 {
    jhash(
      src, UInt32(srcPort) | dst &<< 16, dst &>> 16 | UInt32(dstPort) &<< 16
    ) & 0xFF_FFFF
  }

  @inline(__always)
  func with(kind: UInt8) -> FlowKey {
    var key = self
    key.high = key.high & ~(0xFF &<< 32) | UInt64(kind) &<< 32
    return key
  }

  /// - Parameter fields: src, sport, dst, dport, kind, mix.
  init?(fields: [UInt64]) {
    guard fields.count == 6, let src = UInt32(exactly: fields[0]),
      let srcPort = UInt16(exactly: fields[1]), let dst = UInt32(exactly: fields[2]),
      let dstPort = UInt16(exactly: fields[3]), let kind = UInt8(exactly: fields[4]),
      let mix = UInt32(exactly: fields[5]), mix >> 24 == 0
    else { return nil }
    self.init(src: src, srcPort: srcPort, dst: dst, dstPort: dstPort, kind: kind, mix: mix)
  }

  /// The key of an entry of `fragments`.
  ///
  /// - Parameter fields: src, dst, identification, protocol.
  init?(fragment fields: [UInt64]) {
    guard fields.count == 4, let src = UInt32(exactly: fields[0]),
      let dst = UInt32(exactly: fields[1]), let identification = UInt16(exactly: fields[2]),
      let transport = UInt8(exactly: fields[3])
    else { return nil }
    low = UInt64(src) | UInt64(dst) << 32
    high = UInt64(identification) | UInt64(transport) << 16
  }

  /// src, sport, dst, dport, kind, mix: the order of the contract.
  var fields: [UInt64] {
    [
      low & 0xFFFF_FFFF, low >> 32 & 0xFFFF, low >> 48 | (high & 0xFFFF) << 16, high >> 16 & 0xFFFF,
      high >> 32 & 0xFF, high >> 40,
    ]
  }
}

/// What a flow entry says.
struct FlowData {
  /// The endpoint.
  var id: UInt32
  /// The address to translate to.
  var ip: UInt32
  /// The port to translate to.
  var port: UInt16
  /// In an entry for replies: the kind of the entry for requests.
  var kind: UInt8
  var nat: NAT.RawValue

  init(id: UInt32, ip: UInt32, port: UInt16, kind: UInt8, nat: NAT.RawValue) {
    self.id = id
    self.ip = ip
    self.port = port
    self.kind = kind
    self.nat = nat
  }

  /// - Parameter fields: id, ip, port, kind, nat.
  init?(fields: [UInt64]) {
    guard fields.count == 5, let id = UInt32(exactly: fields[0]),
      let ip = UInt32(exactly: fields[1]), let port = UInt16(exactly: fields[2]),
      let kind = UInt8(exactly: fields[3]), let nat = UInt8(exactly: fields[4])
    else { return nil }
    self.init(id: id, ip: ip, port: port, kind: kind, nat: nat)
  }

  /// id, ip, port, kind, nat: the order of the contract.
  var fields: [UInt64] { [UInt64(id), UInt64(ip), UInt64(port), UInt64(kind), UInt64(nat)] }
}

/// Which address of a packet is translated.
enum NAT: UInt8 {
  case none = 0
  /// The destination, from the Service to the endpoint.
  case dnat = 1
  /// The source, from the endpoint to the Service.
  case snat = 2
}

/// Kinds of flow entry. A UDP flow towards a Service has 0x80 | the epoch of
/// its slot instead.
enum FlowKind {
  static let tcp: UInt8 = 6
  static let tcpHalfOpen: UInt8 = 7
  static let udp: UInt8 = 17
}
