import Core
import Testing

/// R10: ports are behind the options.
@Suite struct OptionsTests {
  @Test(arguments: 1...10, TransportProtocol.allCases)
  func portsAreReadBehindThem(words: Int, transport: TransportProtocol) throws {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [7: 1])
    func frame(_ ether: PacketBuilder, _ from: Socket, _ to: Socket, ttl: UInt8) -> [UInt8] {
      var ip = PacketBuilder.IPv4(from: from.ip, to: to.ip)
      // Were these read as ports, the Service would not be found.
      ip.options = [UInt8](repeating: 0x11, count: words * 4)
      ip.ttl = ttl
      return transport == .tcp
        ? ether.tcp(ip, .init(from: from.port, to: to.port, flags: .syn), payload: [9])
        : ether.udp(ip, .init(from: from.port, to: to.port), payload: [9])
    }
    let out = node.send(frame(Node.ether, .client(), .service, ttl: 64))
    let toPod = PacketBuilder(from: Node.gateway.mac, to: Node.pod(7).mac)
    #expect(out.verdict == .forward(7))
    #expect(out.bytes == frame(toPod, .client(), .pod(7, 8080), ttl: 63))

    let back = node.udpOrTCPReply(transport, words: words)
    #expect(back.verdict == .forward(Node.client.port))
    #expect(back.source == .service)
    #expect(back.problems.isEmpty)
  }

  @Test(arguments: UInt8(0)...15)
  func headerLength(words: UInt8) throws {
    let node = try Node(pods: [7])
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.pod(7).ip)
    ip.headerLength = words
    let frame = Node.ether.ipv4(ip, transport: 132, payload: [UInt8](repeating: 0, count: 40))
    #expect(node.send(frame).verdict == (words < 5 ? .drop(.badIPHeader) : .forward(7)))
  }

  @Test(arguments: UInt8(0)...15)
  func version(version: UInt8) throws {
    let node = try Node(pods: [7])
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.pod(7).ip)
    ip.version = version
    let frame = Node.ether.ipv4(ip, transport: 132, payload: [])
    #expect(node.send(frame).verdict == (version == 4 ? .forward(7) : .drop(.badIPHeader)))
  }
}

extension Node {
  /// The endpoint's answer, with options of its own.
  fileprivate func udpOrTCPReply(_ transport: TransportProtocol, words: Int) -> Outcome {
    let (from, to) = (Socket.pod(7, 8080), Socket.client())
    var ip = PacketBuilder.IPv4(from: from.ip, to: to.ip)
    ip.options = [UInt8](repeating: 1, count: words * 4)
    return send(
      transport == .tcp
        ? Node.ether.tcp(ip, .init(from: from.port, to: to.port, flags: [.syn, .ack]))
        : Node.ether.udp(ip, .init(from: from.port, to: to.port)))
  }
}
