import Core
import Testing

/// R1: between pods, the host and the gateway. R2: what is not known.
@Suite struct RoutingTests {
  private func ping(to address: IPv4Address, ttl: UInt8 = 64) -> [UInt8] {
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: address)
    ip.ttl = ttl
    return Node.ether.icmp(ip, type: 8, rest: 0x0001_0001, payload: [1, 2, 3])
  }

  /// The frame R1 asks for: new MACs, one hop less, nothing else.
  private func hop(_ interface: Intent.Interface, ttl: UInt8) -> [UInt8] {
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: interface.ip)
    ip.ttl = ttl
    return PacketBuilder(from: Node.gateway.mac, to: interface.mac)
      .icmp(ip, type: 8, rest: 0x0001_0001, payload: [1, 2, 3])
  }

  @Test func podsHostAndGateway() throws {
    let node = try Node(pods: [7])
    for target in [Node.pod(7), Node.client, Node.host, Node.gateway] {
      let out = node.send(ping(to: target.ip))
      #expect(out.verdict == .forward(target.port))
      #expect(out.bytes == hop(target, ttl: 63))
    }
    #expect(node.flows.isEmpty)
  }

  /// Every identification, so every value of the checksum and every carry.
  @Test func checksumOfEveryHeader() throws {
    let node = try Node(pods: [7])
    let hop = PacketBuilder(from: Node.gateway.mac, to: Node.pod(7).mac)
    var seen: Set<UInt16> = []
    for identification in UInt16.min...UInt16.max {
      var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.pod(7).ip)
      ip.identification = identification
      let frame = Node.ether.ipv4(ip, transport: 132, payload: [])
      seen.insert(FrameLayers(frame).u16(14 + IPv4Header.checksum) ?? 0)
      let out = node.send(frame)
      ip.ttl = 63
      let expected = hop.ipv4(ip, transport: 132, payload: [])
      guard out.verdict == .forward(7), out.bytes == expected else {
        Issue.record("id \(identification): \(out.verdict), \(out.problems)")
        return
      }
    }
    // All but 0xFFFF, which is the other form of 0.
    #expect(seen.count == 65_535)
  }

  @Test(arguments: [0, 1] as [UInt8])
  func timeToLiveIsUsedUp(ttl: UInt8) throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    for target in [Node.pod(7).ip, Node.host.ip, Node.gateway.ip, Node.vip] {
      let frame = ping(to: target, ttl: ttl)
      let out = node.send(frame)
      #expect(out.verdict == .drop(.ttlExpired))
      #expect(out.bytes == frame)
    }
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.vip)
    ip.ttl = ttl
    let syn = Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .syn))
    #expect(node.send(syn).verdict == .drop(.ttlExpired))
    #expect(node.flows.isEmpty)
  }

  @Test func lastHopButOne() throws {
    let node = try Node(pods: [7])
    let out = node.send(ping(to: Node.pod(7).ip, ttl: 2))
    #expect(out.verdict == .forward(7))
    #expect(out.bytes == hop(Node.pod(7), ttl: 1))
  }

  /// R2, whatever the protocol and the TTL.
  @Test func unknownGoesToTheHostUnmodified() throws {
    let node = try Node(pods: [7])
    let unknown = IPv4Address(0x0808_0808)
    var frames = [0, 1, 2, 64, 255].map { ping(to: unknown, ttl: $0) }
    let ip = PacketBuilder.IPv4(from: Node.client.ip, to: unknown)
    frames.append(Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .syn)))
    frames.append(Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .ack)))
    frames.append(Node.ether.udp(ip, .init(from: 1, to: 53)))
    frames.append(Node.ether.ipv4(ip, transport: 132, payload: [1]))
    frames.append(Node.ether.frame(etherType: EtherType.ipv6, payload: [0x60]))
    frames.append(Node.ether.frame(etherType: 0x88CC, payload: []))
    for frame in frames {
      let out = node.send(frame)
      #expect(out.verdict == .forward(K8sDP.hostPort))
      #expect(out.bytes == frame)
    }
    #expect(node.flows.isEmpty)
  }

  /// A pod that goes is unknown from the commit on, one that comes is known.
  @Test func podsComeAndGo() throws {
    let node = try Node()
    #expect(node.send(ping(to: Node.pod(7).ip)).verdict == .forward(1))
    try node.change { $0.pods.append(Node.pod(7)) }
    #expect(node.send(ping(to: Node.pod(7).ip)).verdict == .forward(7))
    try node.change { $0.pods.removeLast() }
    #expect(node.send(ping(to: Node.pod(7).ip)).verdict == .forward(1))
  }
}
