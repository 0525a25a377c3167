/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, Codable {
  /// Host order: 10.0.0.1 is 0x0A000001.
  public var value: UInt32

  @inlinable public init(_ value: UInt32) { self.value = value }

  /// Reads a strict dotted quad: four decimal numbers of 0...255 without
  /// leading zeros, signs or spaces. Anything else is nil.
  public init?(_ text: String) {
    var result: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if digits > 0, octet == 0 { return nil }
        octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
        digits += 1
        if octet > 255 { return nil }
      case UInt8(ascii: "."):
        dots += 1
        if digits == 0 || dots > 3 { return nil }
        result = result << 8 | octet
        octet = 0
        digits = 0
      default:
        return nil
      }
    }
    guard dots == 3, digits > 0 else { return nil }
    value = result << 8 | octet
  }
}

extension IPv4Address: Comparable {
  public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.value < b.value }
}

extension IPv4Address: CustomStringConvertible {
  /// The dotted quad.
  public var description: String {
    "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
  }
}
