import Foundation
import P4RuntimeCodec
import Testing

/// P4Runtime 1.4, section 8.4, tables "Examples of Valid Bytestring Encoding" and
/// "Examples of Invalid Bytestring Encoding", as far as they are of `bit<W>`.
@Suite struct BytestringTests {
  @Test(
    arguments: [
      (8, 99, [0x63], true), (16, 99, [0x00, 0x63], false), (16, 99, [0x63], true),
      (16, 12388, [0x30, 0x64], true), (16, 12388, [0x00, 0x30, 0x64], false),
      (12, 99, [0x00, 0x63], false), (12, 99, [0x63], true), (12, 99, [0x00, 0x00, 0x63], false),
    ] as [(Int, UInt64, [UInt8], Bool)])
  func valid(bits: Int, value: UInt64, bytes: [UInt8], isCanonical: Bool) {
    #expect(Bytestring.value(Data(bytes), bits: bits) == value)
    #expect((Bytestring.canonical(value) == Data(bytes)) == isCanonical)
  }

  @Test(
    arguments: [
      (8, [0x01, 0x63]), (8, []), (16, [0x01, 0x00, 0x63]), (12, [0x10, 0x63]),
      (12, [0x01, 0x00, 0x63]), (12, [0x00, 0x40, 0x63]), (16, []),
      (64, [1, 0, 0, 0, 0, 0, 0, 0, 0]), (1, [2]),
    ] as [(Int, [UInt8])])
  func invalid(bits: Int, bytes: [UInt8]) {
    #expect(Bytestring.value(Data(bytes), bits: bits) == nil)
  }

  @Test func anyNumberOfLeadingZeros() {
    let bytes = Data(repeating: 0, count: 100) + Data([0xFF])
    #expect(Bytestring.value(bytes, bits: 8) == 255)
    #expect(Bytestring.canonical(0) == Data([0]))
    #expect(Bytestring.value(Data(repeating: 0xFF, count: 8), bits: 64) == .max)
    #expect(Bytestring.canonical(.max) == Data(repeating: 0xFF, count: 8))
  }

  @Test func slicesOfData() {
    let whole = Data([9, 9, 1, 2, 9])
    #expect(Bytestring.value(whole[2..<4], bits: 16) == 0x0102)
  }
}
