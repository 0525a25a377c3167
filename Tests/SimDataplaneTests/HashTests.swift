import Testing

@testable import SimDataplane

/// The hashes that decide where an entry lies and which endpoint is chosen.
@Suite final class HashTests {
  private let crc = CRC32C()

  /// CRC-32C of bytes, one bit at a time.
  private func slowCRC(_ bytes: [UInt8], initial: UInt32 = 0) -> UInt32 {
    bytes.reduce(initial) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { s, _ in s & 1 == 1 ? (s >> 1) ^ 0x82F6_3B78 : s >> 1 }
    }
  }

  private func words(_ bytes: [UInt8]) -> (UInt64, UInt64) {
    var words: [UInt64] = [0, 0]
    for (i, byte) in bytes.enumerated() { words[i / 8] |= UInt64(byte) << UInt64(i % 8 * 8) }
    return (words[0], words[1])
  }

  /// The slow one is the standard's: CRC-32C of "123456789" is 0xE3069283, and
  /// RFC 3720 appendix B.4 has four vectors.
  @Test func standardVectors() {
    func standard(_ bytes: [UInt8]) -> UInt32 { ~slowCRC(bytes, initial: .max) }
    #expect(standard(Array("123456789".utf8)) == 0xE306_9283)
    #expect(standard([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(standard([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(standard(Array(0..<32)) == 0x46DD_794E)
    #expect(standard((0..<32).reversed()) == 0x113F_DB5C)
  }

  /// The same through the tables: sixteen bytes with an initial value of all
  /// ones are the bytes with the first four inverted.
  @Test func tablesAgreeWithTheStandard() {
    var bytes = Array(UInt8(0)..<16)
    let expected = slowCRC(bytes, initial: .max)
    for i in 0..<4 { bytes[i] = ~bytes[i] }
    let (low, high) = words(bytes)
    #expect(crc.hash16(low, high) == expected)
  }

  @Test func everyLength() {
    var random = SeededGenerator(seed: 1)
    for count in 1...16 {
      for _ in 0..<50 {
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let (low, high) = words(bytes)
        #expect(crc.hash(low, high, count: count) == slowCRC(bytes))
        if count == 16 { #expect(crc.hash16(low, high) == slowCRC(bytes)) }
      }
    }
  }

  /// Bytes behind the counted ones do not matter.
  @Test func onlyTheCountedBytes() {
    #expect(crc.hash(.max, .max, count: 11) == crc.hash(.max, 0xFF_FFFF, count: 11))
  }

  /// What `rte_jhash` of DPDK 22.11 gives for twelve bytes and 0.
  @Test func jenkins() {
    let vectors: [(UInt32, UInt32, UInt32, UInt32)] = [
      (0x0000_0000, 0x0000_0000, 0x0000_0000, 0x1B68_E557),
      (0x0000_0001, 0x0000_0002, 0x0000_0003, 0xA461_58F5),
      (0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0x6E09_64A9),
      (0x8000_0000, 0x0000_0000, 0x0000_0000, 0x773D_BC02),
      (0x0000_0000, 0x8000_0000, 0x0000_0000, 0x4ADD_8974),
      (0x0000_0000, 0x0000_0000, 0x8000_0000, 0x3268_BA38),
      (0xDEAD_BEEF, 0x1234_5678, 0x9ABC_DEF0, 0xD63F_1E48),
      (0x0AF4_0006, 0x0050_A028, 0x0050_0A60, 0x8F2A_D743),
    ]
    for (k0, k1, k2, hash) in vectors { #expect(jhash(k0, k1, k2) == hash) }
  }

  /// Two bytes of port lie between the addresses.
  @Test func mixIsTheHashOfTheTuple() {
    let mix = FlowKey.mix(src: 0x0AF4_0006, srcPort: 0xA028, dst: 0x0A60_0050, dstPort: 80)
    #expect(mix == jhash(0x0AF4_0006, 0x0050_A028, 0x0050_0A60) & 0xFF_FFFF)
  }

  /// The key's layout is the order of the contract.
  @Test func keyFields() {
    let key = FlowKey(
      src: 0x0AF4_0006, srcPort: 41_000, dst: 0x0A60_0050, dstPort: 80, kind: 6, mix: 0xABCDEF)
    #expect(key.fields == [0x0AF4_0006, 41_000, 0x0A60_0050, 80, 6, 0xABCDEF])
    #expect(key.with(kind: 0x85).fields == [0x0AF4_0006, 41_000, 0x0A60_0050, 80, 0x85, 0xABCDEF])
  }
}
