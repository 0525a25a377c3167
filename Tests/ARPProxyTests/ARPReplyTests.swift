import Testing

@testable import arp_proxy

@Suite struct ARPReplyTests {
  private static let mac: [UInt8] = [2, 0, 0, 0, 0, 1]
  private static let asker: [UInt8] = [2, 0, 0, 0, 2, 6]

  /// Who has 169.254.1.1? Tell 10.244.0.6.
  private static let request: [UInt8] =
    [255, 255, 255, 255, 255, 255] + asker + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + asker
    + [10, 244, 0, 6, 0, 0, 0, 0, 0, 0, 169, 254, 1, 1]

  @Test func aRequest() {
    let wanted =
      Self.asker + Self.mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + Self.mac + [169, 254, 1, 1]
      + Self.asker + [10, 244, 0, 6]
    #expect(ARPReply(answering: Self.request, mac: Self.mac)?.frame == wanted)
    // Padding to 60 bytes changes nothing.
    let padded = Self.request + [UInt8](repeating: 0, count: 18)
    #expect(ARPReply(answering: padded, mac: Self.mac)?.frame == wanted)
  }

  /// No request, or one that asks whether an address is free.
  @Test(
    arguments: [
      (20...21, [0, 2]), (12...13, [8, 0]), (14...15, [0, 6]), (18...18, [8]), (19...19, [16]),
      (28...31, [0, 0, 0, 0]), (28...31, [169, 254, 1, 1]), (22...22, [255]),
    ] as [(ClosedRange<Int>, [UInt8])])
  func nothing(_ range: ClosedRange<Int>, _ bytes: [UInt8]) {
    var frame = Self.request
    frame.replaceSubrange(range, with: bytes)
    #expect(ARPReply(answering: frame, mac: Self.mac) == nil)
  }

  @Test func everyLengthThatIsTooShort() {
    for length in 0..<ARPReply.length {
      #expect(ARPReply(answering: Self.request.prefix(length), mac: Self.mac) == nil)
    }
  }
}
