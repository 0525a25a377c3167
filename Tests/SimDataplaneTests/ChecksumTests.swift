import Core
import Testing

/// R12.
@Suite struct ChecksumTests {
  @Test func udpWithoutChecksum() throws {
    let node = try Node(pods: [7])
    try node.serve(.udp, by: [7: 1])
    var udp = PacketBuilder.UDP(from: 41_000, to: 80)
    udp.checksum = 0
    let out = node.send(
      Node.ether.udp(.init(from: Node.client.ip, to: Node.vip), udp, payload: [1]))
    #expect(out.destination == .pod(7, 8080))
    #expect(Array(out.bytes[40..<42]) == [0, 0])
    var answer = PacketBuilder.UDP(from: 8080, to: 41_000)
    answer.checksum = 0
    let reply = node.send(
      Node.ether.udp(.init(from: Node.pod(7).ip, to: Node.client.ip), answer, payload: [1]))
    #expect(reply.source == .service)
    #expect(Array(reply.bytes[40..<42]) == [0, 0])
  }

  /// Every value of the transport checksum after translation, 0 and 0xFFFF
  /// among them, both ways.
  @Test(arguments: TransportProtocol.allCases)
  func everyTransportChecksum(transport: TransportProtocol) throws {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [7: 1])
    node.connect(.client(), .service)
    var seen: Set<UInt16> = []
    func send(_ from: Socket, _ to: Socket, _ word: UInt16) -> Outcome {
      let payload = [UInt8(word >> 8), UInt8(word & 0xFF)]
      let ip = PacketBuilder.IPv4(from: from.ip, to: to.ip)
      return node.send(
        transport == .tcp
          ? Node.ether.tcp(ip, .init(from: from.port, to: to.port, flags: .ack), payload: payload)
          : Node.ether.udp(ip, .init(from: from.port, to: to.port), payload: payload))
    }
    for word in UInt16.min...UInt16.max {
      let out = send(.client(), .service, word)
      let reply = send(.pod(7, 8080), .client(), word)
      guard out.destination == .pod(7, 8080), out.problems.isEmpty, reply.source == .service,
        reply.problems.isEmpty
      else {
        Issue.record("\(word): \(out.problems), \(reply.problems)")
        return
      }
      let offset = transport == .tcp ? TCPHeader.checksum : UDPHeader.checksum
      seen.insert(FrameLayers(out.bytes).u16(34 + offset) ?? 1)
    }
    // UDP has no 0, and TCP no 0xFFFF: they are forms of the same number.
    #expect(seen.count == 65_535)
    #expect(!seen.contains(transport == .tcp ? 0xFFFF : 0))
  }

  /// A wrong checksum stays wrong by as much: the receiver finds out.
  @Test func wrongChecksumIsNotMended() throws {
    let node = try Node(pods: [7])
    try node.serve(.udp, by: [7: 1])
    var frame = Node.ether.udp(
      .init(from: Node.client.ip, to: Node.vip), .init(from: 1, to: 80), payload: [1, 2, 3, 4])
    frame[44] ^= 0x10
    #expect(!node.send(frame).problems.isEmpty)
  }

  /// Padding is no part of the packet.
  @Test func padding() throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    var ether = Node.ether
    ether.minimumLength = 60
    var frame = ether.tcp(
      .init(from: Node.client.ip, to: Node.vip), .init(from: 1, to: 80, flags: .syn))
    for i in 54..<60 { frame[i] = 0xEE }
    let out = node.send(frame)
    #expect(out.problems.isEmpty)
    #expect(out.bytes[54...] == frame[54...])
  }
}
