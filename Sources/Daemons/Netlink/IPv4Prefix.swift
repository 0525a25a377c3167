import Core

/// An IPv4 address and how many of its leading bits count.
public struct IPv4Prefix: Hashable, Sendable, CustomStringConvertible {
  public var address: IPv4Address
  /// 0...32.
  public var length: UInt8

  public init(_ address: IPv4Address, length: UInt8) {
    self.address = address
    self.length = min(length, 32)
  }

  /// Reads CIDR notation, or an address, which is 32 bits long. Anything else is nil.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPv4Address(String(parts[0])) else { return nil }
    self.init(address, length: 32)
    guard parts.count == 2 else { return }
    guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = UInt8(parts[1]),
      length <= 32
    else { return nil }
    self.length = length
  }

  /// With the bits that do not count set to zero.
  public var network: IPv4Prefix {
    let mask: UInt32 = length == 0 ? 0 : ~0 << (32 - UInt32(length))
    return IPv4Prefix(IPv4Address(address.value & mask), length: length)
  }

  public var description: String { "\(address)/\(length)" }
}

extension IPv4Address {
  /// As on the wire.
  var bytes: [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

  init?(bytes: ArraySlice<UInt8>?) {
    guard let value: UInt32 = bytes?.load(at: 0) else { return nil }
    self.init(UInt32(bigEndian: value))
  }
}
