/// An incremental Internet checksum (RFC 1624, equation 3) over 16-bit words.
///
/// The value is that of SWX's `cksub` and `ckadd` (DPDK 22.11): a sum of zero
/// comes out as 0xFFFF, never as 0.
struct InternetChecksum {
  private var sum: UInt64 = 0

  @inline(__always)
  mutating func subtract(_ word: UInt16) { sum &+= UInt64(~word) }

  @inline(__always)
  mutating func subtract(_ word: UInt32) { add(~word) }

  @inline(__always)
  mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

  @inline(__always)
  mutating func add(_ word: UInt32) { sum &+= UInt64(word &>> 16) &+ UInt64(word & 0xFFFF) }

  @inline(__always)
  var value: UInt16 {
    var r = sum
    r = (r & 0xFFFF) &+ (r &>> 16)
    r = (r & 0xFFFF) &+ (r &>> 16)
    let result = ~UInt16(truncatingIfNeeded: r)
    return result == 0 ? 0xFFFF : result
  }
}
