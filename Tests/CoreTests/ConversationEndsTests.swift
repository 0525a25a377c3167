import Core
import Testing

struct ConversationEndsTests {
  private let ip = PacketBuilder.IPv4(
    from: IPv4Address(0x0AF4_0006), to: IPv4Address(0x0A60_0050))

  private func ends(_ frame: [UInt8]) -> ConversationEnds {
    frame.withUnsafeBytes { $0.baseAddress.map { ConversationEnds($0) } ?? .none }
  }

  /// Bit 63, and another.
  private static func bits(_ bit: UInt64) -> UInt64 { 1 << 63 | 1 << bit }

  @Test(arguments: [nil, UInt16(7)], [[], [UInt8](repeating: 1, count: 40)])
  func portsAreFound(vlan: UInt16?, options: [UInt8]) {
    let ether = PacketBuilder(from: MACAddress(1), to: MACAddress(2), vlan: vlan)
    var ip = ip
    ip.options = options
    let opening = ends(ether.tcp(ip, .init(from: 40000, to: 80, flags: [.syn])))
    #expect(opening.source == Self.bits(62) | 0x0AF4_0006 << 16 | 40000)
    #expect(opening.destination == Self.bits(63) | 0x0A60_0050 << 16 | 80)
    let plain = ends(ether.tcp(ip, .init(from: 40000, to: 80, flags: [.ack, .psh])))
    #expect(plain.source == opening.source & ~ConversationEnds.change)
    #expect(ends(ether.udp(ip, .init(from: 40000, to: 80))) == opening)
    for flag: TCPFlags in [.syn, .fin, .rst] {
      #expect(ends(ether.tcp(ip, .init(from: 40000, to: 80, flags: [flag, .ack]))) == opening)
    }
  }

  /// Fragments and other protocols stand for all ports.
  @Test func withoutPorts() {
    let ether = PacketBuilder(from: MACAddress(1), to: MACAddress(2))
    let any = ConversationEnds(
      source: Self.bits(62) | 0x0AF4_0006 << 16, destination: Self.bits(63) | 0x0A60_0050 << 16)
    #expect(ends(ether.ipv4(ip, transport: 1, payload: [8, 0, 0, 0, 0, 0, 0, 0])) == any)
    var first = ip
    first.moreFragments = true
    #expect(ends(ether.udp(first, .init(from: 40000, to: 80), payload: [1, 2, 3])) == any)
    var later = ip
    later.fragmentOffset = 3
    #expect(ends(ether.ipv4(later, transport: 6, payload: [UInt8](repeating: 2, count: 40))) == any)
    #expect(ends(ether.frame(etherType: EtherType.ipv6, payload: [0x60])) == .none)
    var refused = ip
    refused.version = 5
    #expect(ends(ether.udp(refused, .init(from: 40000, to: 80))) == .none)
  }
}
