/// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
///
/// Every value is host order.
public enum Checksum {
  /// The ones' complement sum of the bytes' big-endian 16-bit words, folded to
  /// 16 bits and not inverted. An odd last byte counts as the upper half of a
  /// word.
  public static func sum(_ bytes: UnsafeRawBufferPointer, initial: UInt64 = 0) -> UInt16 {
    var total = initial
    var index = 0
    while index + 1 < bytes.count {
      total &+= UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
      index += 2
    }
    if index < bytes.count { total &+= UInt64(bytes[index]) << 8 }
    return fold(total)
  }

  /// The checksum field of a block whose own checksum field is zero. Over a
  /// block with a correct one in place, it is zero.
  public static func internet(_ bytes: UnsafeRawBufferPointer, initial: UInt64 = 0) -> UInt16 {
    ~sum(bytes, initial: initial)
  }

  /// As the other, for an array.
  public static func internet(_ bytes: some Sequence<UInt8>, initial: UInt64 = 0) -> UInt16 {
    Array(bytes).withUnsafeBytes { internet($0, initial: initial) }
  }

  /// What the pseudo header adds to a TCP or UDP sum (RFC 9293 3.1, RFC 768).
  ///
  /// - Parameter length: Bytes of the transport header and its payload.
  public static func pseudoHeader(
    source: IPv4Address, destination: IPv4Address, transport: UInt8, length: Int
  ) -> UInt64 {
    UInt64(source.value >> 16) + UInt64(source.value & 0xFFFF)
      + UInt64(destination.value >> 16) + UInt64(destination.value & 0xFFFF)
      + UInt64(transport) + UInt64(length)
  }

  /// The checksum after one 16-bit word of the block changed (RFC 1624, eqn. 3).
  @inlinable public static func update(
    _ checksum: UInt16, from old: UInt16, to new: UInt16
  ) -> UInt16 {
    ~fold(UInt64(~checksum) + UInt64(~old) + UInt64(new))
  }

  /// The checksum after two neighbouring 16-bit words changed.
  @inlinable public static func update(
    _ checksum: UInt16, from old: UInt32, to new: UInt32
  ) -> UInt16 {
    let inverse = ~old
    return ~fold(
      UInt64(~checksum) + UInt64(inverse >> 16) + UInt64(inverse & 0xFFFF)
        + UInt64(new >> 16) + UInt64(new & 0xFFFF))
  }

  /// Adds the carries back in until 16 bits are left.
  @inlinable public static func fold(_ sum: UInt64) -> UInt16 {
    var sum = sum
    while sum >> 16 != 0 { sum = (sum & 0xFFFF) &+ (sum >> 16) }
    return UInt16(truncatingIfNeeded: sum)
  }
}
