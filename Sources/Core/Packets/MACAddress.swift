/// An Ethernet address.
public struct MACAddress: Hashable, Sendable, Codable {
  /// 48 bits, the first byte on the wire the most significant:
  /// 02:00:00:00:00:01 is 0x020000000001.
  public var value: UInt64

  /// The upper 16 bits of `value` are ignored.
  @inlinable public init(_ value: UInt64) { self.value = value & 0xFFFF_FFFF_FFFF }

  /// Reads six pairs of hexadecimal digits between colons, in either case.
  /// Anything else is nil.
  public init?(_ text: String) {
    var result: UInt64 = 0
    var position = 0
    for byte in text.utf8 {
      if position >= 17 { return nil }
      if position % 3 == 2 {
        if byte != UInt8(ascii: ":") { return nil }
      } else {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
        default: return nil
        }
        result = result << 4 | UInt64(digit)
      }
      position += 1
    }
    guard position == 17 else { return nil }
    value = result
  }

  public static let broadcast = MACAddress(0xFFFF_FFFF_FFFF)
  public static let zero = MACAddress(0)

  /// The group bit of IEEE 802: multicast or broadcast.
  @inlinable public var isGroup: Bool { value >> 40 & 1 == 1 }
}

extension MACAddress: Comparable {
  public static func < (a: MACAddress, b: MACAddress) -> Bool { a.value < b.value }
}

extension MACAddress: CustomStringConvertible {
  /// Six pairs of lower-case hexadecimal digits between colons.
  public var description: String {
    var text = ""
    for shift in stride(from: UInt64(40), through: 0, by: -8) {
      let byte = UInt8(truncatingIfNeeded: value >> shift)
      if shift != 40 { text += ":" }
      if byte < 16 { text += "0" }
      text += String(byte, radix: 16)
    }
    return text
  }
}
