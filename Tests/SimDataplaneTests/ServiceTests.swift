import Core
import Testing

@testable import SimDataplane

/// R4: VIP and port → endpoint, by weight.
@Suite struct ServiceTests {
  @Test(arguments: TransportProtocol.allCases)
  func translatesToTheEndpoint(transport: TransportProtocol) throws {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [7: 1])
    func frame(
      _ ether: PacketBuilder, to: Socket, ttl: UInt8
    ) -> [UInt8] {
      var ip = PacketBuilder.IPv4(from: Node.client.ip, to: to.ip)
      ip.ttl = ttl
      return transport == .tcp
        ? ether.tcp(ip, .init(from: 41_000, to: to.port, flags: .syn), payload: [1, 2, 3])
        : ether.udp(ip, .init(from: 41_000, to: to.port), payload: [1, 2, 3])
    }
    let out = node.send(frame(Node.ether, to: .service, ttl: 64))
    #expect(out.verdict == .forward(7))
    let hop = PacketBuilder(from: Node.gateway.mac, to: Node.pod(7).mac)
    #expect(out.bytes == frame(hop, to: .pod(7, 8080), ttl: 63))
  }

  /// Address, port and protocol are told apart to the last bit.
  @Test(arguments: 0..<16) func portsAreOtherServices(bit: UInt16) throws {
    let other = Socket(ip: Node.vip, port: 80 ^ 1 << bit)
    let node = try Node(pods: [7, 8])
    for transport in TransportProtocol.allCases {
      try node.serve(transport, by: [7: 1])
    }
    #expect(node.udp(.client(), other).verdict == .drop(.noService))
    #expect(node.tcp(.client(), other, .syn).verdict == .drop(.noService))
    for transport in TransportProtocol.allCases {
      try node.serve(transport, port: other.port, by: [8: 1])
    }
    for (service, pod) in [(Socket.service, 7), (other, 8)] as [(Socket, PortID)] {
      #expect(node.udp(.client(), service).verdict == .forward(pod))
      #expect(node.tcp(.client(), service, .syn).verdict == .forward(pod))
    }
  }

  @Test func synWithAnyOtherBits() throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    for rawValue in UInt8.min...UInt8.max {
      let flags = TCPFlags(rawValue: rawValue)
      let client = Socket.client(1000 + UInt16(rawValue))
      let opens = flags.contains(.syn) && flags.isDisjoint(with: [.ack, .rst, .fin])
      let out = node.tcp(client, .service, flags)
      #expect(out.verdict == (opens ? .forward(7) : .drop(.noFlow)), "\(flags)")
    }
    // SYN with PSH, URG, ECE and CWR in every combination: two entries a flow.
    #expect(node.flows.count == 2 * 16)
  }

  @Test func otherPortsAndProtocols() throws {
    let node = try Node(pods: [7])
    try node.serve(.tcp, by: [7: 1])
    let other = Socket(ip: Node.vip, port: 81)
    #expect(node.tcp(.client(), other, .syn).verdict == .drop(.noService))
    #expect(node.udp(.client(), .service).verdict == .drop(.noService))
    let ping = Node.ether.icmp(.init(from: Node.client.ip, to: Node.vip), type: 8)
    #expect(node.send(ping).verdict == .drop(.noService))
    #expect(node.flows.isEmpty)
  }

  @Test(arguments: TransportProtocol.allCases)
  func noEndpoint(transport: TransportProtocol) throws {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [:])
    func send() -> Outcome {
      transport == .tcp ? node.tcp(.client(), .service, .syn) : node.udp(.client(), .service)
    }
    #expect(send().verdict == .drop(.noEndpoint))
    try node.serve(transport, by: [7: 0])
    #expect(send().verdict == .drop(.noEndpoint))
    #expect(node.flows.isEmpty)
    try node.serve(transport, by: [7: 1])
    #expect(send().verdict == .forward(7))
  }

  /// An endpoint that is not on this node is reached through the host, which
  /// routes: the frame is translated, but no hop of its own.
  @Test func endpointElsewhere() throws {
    let node = try Node()
    try node.serve(by: [99: 1])
    let out = node.tcp(.client(), .service, .syn)
    #expect(out.verdict == .forward(K8sDP.hostPort))
    #expect(out.destination == .pod(99, 8080))
    #expect(out.ttl == 64)
    #expect(out.problems.isEmpty)
    let reply = node.tcp(.pod(99, 8080), .client(), [.syn, .ack])
    #expect(reply.verdict == .forward(Node.client.port))
    #expect(reply.source == .service)
  }

  /// A slot table has each endpoint's share within 1/8, and random flows over
  /// the slots add noise; ports and addresses in sequence must do no worse.
  /// 20,000 flows, of which 4 % are 800: noise is within ±3 %.
  @Test func weightsAndSequentialTuples() throws {
    let node = try Node(pods: [7, 8, 9])
    try node.serve(.udp, by: [7: 1, 8: 2, 9: 5])
    var counts: [PortID: Double] = [:]
    let flows = 20_000
    for i in 0..<flows {
      let client = Socket(
        ip: IPv4Address(0x0AF4_0100 + UInt32(i % 40)), port: 30_000 + UInt16(i / 40))
      guard case .forward(let port) = node.udp(client, .service, payload: []).verdict else {
        continue
      }
      counts[port, default: 0] += 1
    }
    let total = counts.values.reduce(0, +)
    for (port, weight) in [(PortID(7), 1.0), (8, 2), (9, 5)] {
      let share = (counts[port] ?? 0) / total
      #expect(abs(share / (weight / 8) - 1) < 0.125 + 0.03, "port \(port) has \(share)")
    }
  }

  /// Equal weights in a power of two have equal slots, so only the hash makes a
  /// difference: chi-square with 7 degrees of freedom is below 24.3 in 99.9 % of
  /// random draws.
  @Test func spreadIsRandom() throws {
    let node = try Node(pods: Array(10...17))
    try node.serve(
      .udp, by: [10: 1, 11: 1, 12: 1, 13: 1, 14: 1, 15: 1, 16: 1, 17: 1])
    var counts: [PortID: Double] = [:]
    var served = 0.0
    for i in 0..<8_000 {
      let client = Socket.client(UInt16(2_000 + i))
      if case .forward(let port) = node.udp(client, .service, payload: []).verdict {
        counts[port, default: 0] += 1
        served += 1
      }
    }
    #expect(counts.count == 8)
    let expected = served / 8
    let chiSquare = counts.values.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    #expect(chiSquare < 24.3)
  }
}
