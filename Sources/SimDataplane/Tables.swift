import Core

/// The rows of the model's tables, as the pipeline reads them.
struct Service {
  var id: UInt32
  var mask: UInt32
}

struct Slot {
  var endpoint: UInt32
  var kind: UInt8
}

/// Four slots, in the order of their lanes.
struct SlotRow {
  var first: Slot
  var second: Slot
  var third: Slot
  var fourth: Slot

  /// - Parameter lane: 0...3.
  @inline(__always)
  subscript(lane: UInt32) -> Slot {
    switch lane {
    case 0: first
    case 1: second
    case 2: third
    default: fourth
    }
  }
}

struct Hop {
  var egress: PortID
  var dstMAC: UInt64
  var srcMAC: UInt64
}

struct Endpoint {
  var ip: UInt32
  var port: UInt16
  var next: NextHop
  var hop: Hop
}

struct Route {
  var next: NextHop
  var hop: Hop
}

/// What a fragment entry says.
struct FragmentData {
  var endpoint: UInt32
  var ip: UInt32
  var nat: NAT.RawValue

  /// id, ip, nat: the order of the contract.
  var fields: [UInt64] { [UInt64(endpoint), UInt64(ip), UInt64(nat)] }

  init(endpoint: UInt32, ip: UInt32, nat: NAT.RawValue) {
    self.endpoint = endpoint
    self.ip = ip
    self.nat = nat
  }

  /// - Parameter fields: id, ip, nat.
  init?(fields: [UInt64]) {
    guard fields.count == 3, let endpoint = UInt32(exactly: fields[0]),
      let ip = UInt32(exactly: fields[1]), let nat = UInt8(exactly: fields[2])
    else { return nil }
    self.init(endpoint: endpoint, ip: ip, nat: nat)
  }
}

/// Keys of the exact tables, packed into 64 bits.
enum TableKey {
  @inline(__always)
  static func service(_ dst: UInt32, _ port: UInt16, _ proto: UInt8) -> UInt64 {
    UInt64(dst) | UInt64(port) &<< 32 | UInt64(proto) &<< 48
  }

  @inline(__always)
  static func slotRow(_ service: UInt32, _ row: UInt32) -> UInt64 {
    UInt64(service) | UInt64(row) &<< 32
  }
}
