/// CRC-32C as DPDK's `rte_hash_crc` computes it: reflected polynomial
/// 0x82F63B78, initial value 0, no final exclusive-or.
///
/// With an initial value of 0 the sum is linear in the bytes, so each byte
/// position has its own table and no look-up waits for another.
struct CRC32C: ~Copyable {
  /// Table t, byte b: the sum of b followed by t zero bytes.
  private let tables: UnsafeMutablePointer<UInt32>
  private static let positions = 16

  init() {
    tables = .allocate(capacity: 256 * Self.positions)
    for byte in 0..<256 {
      var sum = UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0x82F6_3B78 : sum >> 1 }
      tables[byte] = sum
    }
    for position in 1..<Self.positions {
      for byte in 0..<256 {
        let previous = tables[(position - 1) * 256 + byte]
        tables[position * 256 + byte] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
      }
    }
  }

  deinit { tables.deallocate() }

  /// The sum of the first `count` (1...16) bytes of two little-endian words.
  @inline(__always)
  func hash(_ low: UInt64, _ high: UInt64, count: Int) -> UInt32 {
    var sum: UInt32 = 0
    var position = count &- 1
    var word = low
    for i in 0..<count {
      if i == 8 { word = high }
      sum ^= tables[position &* 256 &+ Int(word & 0xFF)]
      word >>= 8
      position &-= 1
    }
    return sum
  }

  /// The sum of the sixteen bytes of two little-endian words.
  @inline(__always)
  func hash16(_ low: UInt64, _ high: UInt64) -> UInt32 {
    @inline(__always) func entry(_ position: Int, _ word: UInt64, _ shift: UInt64) -> UInt32 {
      tables[position &* 256 &+ Int((word &>> shift) & 0xFF)]
    }
    let a = entry(15, low, 0) ^ entry(14, low, 8) ^ entry(13, low, 16) ^ entry(12, low, 24)
    let b = entry(11, low, 32) ^ entry(10, low, 40) ^ entry(9, low, 48) ^ entry(8, low, 56)
    let c = entry(7, high, 0) ^ entry(6, high, 8) ^ entry(5, high, 16) ^ entry(4, high, 24)
    let d = entry(3, high, 32) ^ entry(2, high, 40) ^ entry(1, high, 48) ^ entry(0, high, 56)
    return a ^ b ^ c ^ d
  }
}
