import Testing

@testable import Core

@Suite struct PacketTests {
  private let b = PacketBuilder(
    from: MACAddress("02:00:00:00:02:06")!, to: MACAddress("02:00:00:00:00:01")!)
  private let ip = PacketBuilder.IPv4(
    from: IPv4Address("10.244.0.6")!, to: IPv4Address("10.96.0.80")!)

  @Test(arguments: [
    "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.256", "1.2.3.", ".1.2.3",
    "1..2.3",
    " 1.2.3.4", "1.2.3.4 ", "+1.2.3.4", "1.2.3.-4", "1.2.3.4\n", "٠.0.0.0", "1.2.3.1000000000000",
  ])
  func badAddress(text: String) { #expect(IPv4Address(text) == nil) }

  @Test(arguments: ["0.0.0.0", "255.255.255.255", "10.0.0.1", "1.20.100.200"])
  func goodAddress(text: String) { #expect(IPv4Address(text)?.description == text) }

  @Test(arguments: [
    "", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:001", "02-00-00-00-00-01",
    "0g:00:00:00:00:01", "020000000001", "02:00:00:00:00:01:", ":2:00:00:00:00:01",
  ])
  func badMAC(text: String) { #expect(MACAddress(text) == nil) }

  @Test func goodMAC() {
    #expect(MACAddress("02:00:00:AB:cd:0F")?.value == 0x0200_00AB_CD0F)
    #expect(MACAddress(0x0200_00AB_CD0F).description == "02:00:00:ab:cd:0f")
  }

  /// The example of RFC 1071 section 3, and RFC 1624 section 4's.
  @Test func checksumsOfTheRFCs() {
    #expect(~Checksum.internet([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]) == 0xDDF2)
    #expect(Checksum.update(0xDD2F, from: UInt16(0x5555), to: UInt16(0x3285)) == 0x0000)
  }

  @Test func incrementalUpdateEqualsRecalculation() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      var bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
      bytes[0] |= 1
      let before = Checksum.internet(bytes)
      let old =
        UInt32(bytes[4]) << 24 | UInt32(bytes[5]) << 16 | UInt32(bytes[6]) << 8
        | UInt32(bytes[7])
      let new = UInt32.random(in: 0...UInt32.max, using: &random)
      bytes.set(UInt16(new >> 16), at: 4)
      bytes.set(UInt16(new & 0xFFFF), at: 6)
      #expect(Checksum.update(before, from: old, to: new) == Checksum.internet(bytes))
    }
  }

  @Test func linesAsPeopleExpectThem() {
    var tagged = b
    tagged.vlan = 7
    var first = ip
    first.moreFragments = true
    var later = ip
    later.fragmentOffset = 185
    let syn = PacketBuilder.TCP(from: 41_000, to: 80, flags: .syn)
    let cases: [([UInt8], String)] = [
      (b.tcp(ip, syn), "TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN] len 0"),
      (
        b.arp(
          operation: 1, senderMAC: b.source, senderIP: ip.source,
          targetIP: IPv4Address("169.254.1.1")!),
        "ARP who-has 169.254.1.1 tell 10.244.0.6"
      ),
      (
        tagged.udp(ip, .init(from: 5, to: 53), payload: [1]),
        "VLAN 7 UDP 10.244.0.6:5 > 10.96.0.80:53 len 1"
      ),
      (
        b.icmp(ip, type: 8, rest: 0x0001_0002),
        "ICMP 10.244.0.6 > 10.96.0.80 echo request id 1 seq 2"
      ),
      (
        b.udp(first, .init(from: 5, to: 53), payload: .init(repeating: 0, count: 8)),
        "UDP 10.244.0.6:5 > 10.96.0.80:53 len 8, first fragment id 0x0000"
      ),
      (
        b.ipv4(later, transport: 17, payload: [1, 2]),
        "UDP 10.244.0.6 > 10.96.0.80 fragment offset 1480 len 2 last id 0x0000"
      ),
      (Array(b.tcp(ip, syn)[..<40]), "TCP 10.244.0.6 > 10.96.0.80, truncated header, truncated"),
      ([1, 2], "Ethernet, truncated at 2 bytes"),
    ]
    for (frame, line) in cases { #expect(PacketSummary.line(frame) == line) }
  }

  @Test func verifierAcceptsGoodAndNamesBad() {
    var options = ip
    options.options = [1, 1, 1]
    let payload: [UInt8] = [1, 2, 3]
    let good = [
      b.tcp(options, .init(from: 1, to: 2, flags: [.ack, .psh]), payload: payload),
      b.udp(ip, .init(from: 1, to: 2), payload: payload), b.icmp(ip, type: 8, payload: payload),
    ]
    for frame in good {
      #expect(ChecksumVerifier.problems(in: frame) == [])
      #expect(ChecksumVerifier.problems(in: frame + [0, 0]) == [], "padding")
      for bit in (14 * 8)..<(frame.count * 8) {
        var bad = frame
        bad[bit / 8] ^= 1 << UInt8(bit % 8)
        // More-fragments, an offset or another protocol put the sum out of sight.
        let header = ChecksumVerifier.problems(in: bad)
        #expect(!header.isEmpty, "bit \(bit)")
      }
      for length in 14..<frame.count {
        #expect(!ChecksumVerifier.problems(in: Array(frame[..<length])).isEmpty)
      }
    }
    var udp = PacketBuilder.UDP(from: 1, to: 2)
    udp.checksum = 0
    #expect(ChecksumVerifier.problems(in: b.udp(ip, udp)) == [])
    udp.checksum = 1
    #expect(ChecksumVerifier.problems(in: b.udp(ip, udp)).count == 1)
  }
}
