/// Big-endian fields at the end of a byte array.
extension [UInt8] {
  mutating func append(_ value: UInt16) {
    append(UInt8(value >> 8))
    append(UInt8(value & 0xFF))
  }

  mutating func append(_ value: UInt32) {
    append(UInt16(value >> 16))
    append(UInt16(value & 0xFFFF))
  }

  mutating func append(_ mac: MACAddress) {
    append(UInt16(mac.value >> 32))
    append(UInt32(mac.value & 0xFFFF_FFFF))
  }

  /// Overwrites two bytes that must be there.
  public mutating func set(_ value: UInt16, at offset: Int) {
    self[offset] = UInt8(value >> 8)
    self[offset + 1] = UInt8(value & 0xFF)
  }

  /// Overwrites six bytes that must be there.
  public mutating func set(_ mac: MACAddress, at offset: Int) {
    for i in 0..<6 { self[offset + i] = UInt8(truncatingIfNeeded: mac.value >> UInt64(40 - 8 * i)) }
  }
}

extension ArraySlice<UInt8> {
  /// Followed by zeros, up to a multiple of `unit` bytes.
  func padded(to unit: Int) -> [UInt8] {
    self + [UInt8](repeating: 0, count: (unit - count % unit) % unit)
  }
}
