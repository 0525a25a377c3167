import Testing

@testable import Replay

@Suite struct FrameSummaryTests {
  func ip(_ proto: UInt8, fragment: UInt16 = 0, options: Int = 0, _ payload: [UInt8]) -> [UInt8] {
    [UInt8](repeating: 2, count: 12) + [8, 0, 0x45 + UInt8(options), 0, 0, 0, 0, 0]
      + [UInt8(fragment >> 8), UInt8(fragment & 255), 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
      + [UInt8](repeating: 1, count: options * 4) + payload
  }

  @Test func framesAreToldInOneLine() {
    let udp: [UInt8] = [0, 53, 0x13, 0x88, 0, 12, 0, 0]
    #expect(FrameSummary.describe(tcpFrame()) == "TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN]")
    #expect(FrameSummary.describe(ip(17, udp)) == "UDP 10.0.0.1:53 > 10.0.0.2:5000 length 12")
    #expect(
      FrameSummary.describe(ip(17, options: 2, udp))
        == "UDP 10.0.0.1:53 > 10.0.0.2:5000 length 12")
    #expect(
      FrameSummary.describe(ip(17, fragment: 185, udp))
        == "UDP 10.0.0.1 > 10.0.0.2 fragment at 1480")
    #expect(
      FrameSummary.describe(ip(17, fragment: 0x2000, udp))
        == "UDP 10.0.0.1:53 > 10.0.0.2:5000 length 12 first fragment")
    #expect(FrameSummary.describe(ip(1, [8, 0])) == "ICMP 10.0.0.1 > 10.0.0.2 echo request")
    #expect(FrameSummary.describe(ip(89, [])) == "IPv4 10.0.0.1 > 10.0.0.2 protocol 89")
    #expect(FrameSummary.describe([1, 2]) == "cut short, 2 bytes")
    let mac = [UInt8](repeating: 2, count: 12)
    let arp: [UInt8] = [
      0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 2, 6, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0,
      10, 0, 0, 9,
    ]
    #expect(
      FrameSummary.describe(mac + [0x81, 0, 0, 12, 8, 6] + arp)
        == "VLAN 12 ARP who has 10.0.0.9? tell 10.0.0.1")
    #expect(FrameSummary.describe(mac + [0x88, 0xCC]) == "EtherType 0x88cc, 14 bytes")
  }

  @Test func everyTruncationAndByteHasALine() {
    for whole in [tcpFrame(), ip(17, options: 10, [0, 1, 2, 3, 4, 5]), ip(1, [3])] {
      for end in 0...whole.count {
        let frame = Array(whole[..<end])
        #expect(!FrameSummary.describe(frame).isEmpty)
        _ = FrameFields(frame).names(of: Array(0..<100))
        for at in frame.indices {
          for value in [0, 0x45, 0x4F, 0xFF] as [UInt8] {
            var broken = frame
            broken[at] = value
            #expect(!FrameSummary.describe(broken).isEmpty)
            _ = FrameFields(broken).names(of: [at])
          }
        }
      }
    }
  }

  @Test func fieldsAreNamed() {
    let names = FrameFields(tcpFrame()).names(of: [0, 5, 6, 22, 24, 25, 34, 50, 54])
    #expect(
      names == [
        "destination MAC", "source MAC", "IPv4 TTL", "IPv4 checksum", "TCP source port",
        "TCP checksum", "payload",
      ])
  }
}
