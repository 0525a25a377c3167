import Foundation

/// Unsigned integers as P4Runtime has them: big-endian, any number of leading zero
/// bytes (P4Runtime 1.4, 8.4).
public enum Bytestring {
  /// The value, or nil when the string is empty or the value needs more bits.
  ///
  /// - Parameter bits: 1...64.
  public static func value(_ bytes: Data, bits: Int) -> UInt64? {
    guard !bytes.isEmpty else { return nil }
    let value: UInt64? = bytes.withUnsafeBytes { bytes in
      var value: UInt64 = 0
      for byte in bytes {
        guard value >> 56 == 0 else { return nil }
        value = value << 8 | UInt64(byte)
      }
      return value
    }
    guard let value else { return nil }
    return bits >= 64 || value >> UInt64(bits) == 0 ? value : nil
  }

  /// The shortest string: one byte at least, no leading zero bytes else.
  public static func canonical(_ value: UInt64) -> Data {
    let count = max(1, (64 - value.leadingZeroBitCount + 7) / 8)
    return withUnsafeBytes(of: value.bigEndian) { Data($0.suffix(count)) }
  }
}
