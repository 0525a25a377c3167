import Core
import Testing

/// R14.
@Suite struct EthernetTests {
  @Test func tagIsCarriedThrough() throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    for tag in [0x0005, 0xEFFF, 0x0000] as [UInt16] {
      var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.vip)
      var ether = Node.ether
      ether.vlan = tag
      let frame = ether.tcp(ip, .init(from: 41_000 + tag & 0xFF, to: 80, flags: .syn), payload: [1])
      let out = node.send(frame)
      ip.destination = Node.pod(7).ip
      ip.ttl = 63
      let expected = PacketBuilder(from: Node.gateway.mac, to: Node.pod(7).mac, vlan: tag)
        .tcp(ip, .init(from: 41_000 + tag & 0xFF, to: 8080, flags: .syn), payload: [1])
      #expect(out.verdict == .forward(7))
      #expect(out.bytes == expected)
    }
  }

  /// What is behind a second tag is not known: the host's, unmodified.
  @Test func twoTags() throws {
    let node = try Node(pods: [7])
    var inner = Node.ether.icmp(.init(from: Node.client.ip, to: Node.pod(7).ip), type: 8)
    inner.insert(contentsOf: [0x81, 0, 0, 5, 0x81, 0, 0, 6], at: 12)
    let out = node.send(inner)
    #expect(out.verdict == .forward(K8sDP.hostPort))
    #expect(out.bytes == inner)
  }

  @Test(arguments: [0xFFFF_FFFF_FFFF, 0x0100_5E00_0001, 0x3333_0000_0001] as [UInt64])
  func multicast(destination: UInt64) throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    for vlan in [nil, 5] as [UInt16?] {
      let ether = PacketBuilder(
        from: Node.client.mac, to: MACAddress(destination), vlan: vlan)
      let frames = [
        ether.icmp(.init(from: Node.client.ip, to: Node.pod(7).ip), type: 8),
        ether.tcp(
          .init(from: Node.client.ip, to: Node.vip), .init(from: 1, to: 80, flags: .syn)),
        ether.udp(
          .init(from: Node.client.ip, to: IPv4Address(0xE000_00FB)), .init(from: 1, to: 5353)),
        ether.frame(etherType: EtherType.ipv6, payload: [0x60]),
        ether.frame(etherType: 0x88CC, payload: []),
      ]
      for frame in frames {
        let out = node.send(frame)
        #expect(out.verdict == .drop(.multicast))
        #expect(out.bytes == frame)
      }
      let arp = ether.arp(
        operation: 1, senderMAC: Node.client.mac, senderIP: Node.client.ip,
        targetIP: Node.pod(7).ip)
      #expect(node.send(arp).verdict == .forward(7))
    }
    #expect(node.flows.isEmpty)
    #expect(node.plane.counters().dropped == [.multicast: 10])
  }
}
