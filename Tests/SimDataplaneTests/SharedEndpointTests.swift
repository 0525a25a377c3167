import Core
import Testing

/// R7: replies leave as the Service that the client asked.
@Suite struct SharedEndpointTests {
  private let services = [
    Socket(ip: Node.vip, port: 80), Socket(ip: Node.vip, port: 81),
    Socket(ip: IPv4Address(0x0A60_0051), port: 80),
  ]

  private func node(_ transport: TransportProtocol) throws -> Node {
    let node = try Node(pods: [7])
    for service in services {
      try node.serve(transport, vip: service.ip, port: service.port, by: [7: 1])
    }
    return node
  }

  @Test func tcp() throws {
    let node = try node(.tcp)
    for (i, service) in services.enumerated() {
      #expect(node.connect(.client(5000 + UInt16(i)), service) == .pod(7, 8080))
    }
    for (i, service) in services.enumerated().reversed() {
      let reply = node.tcp(.pod(7, 8080), .client(5000 + UInt16(i)), .ack)
      #expect(reply.source == service)
      #expect(reply.problems.isEmpty)
    }
  }

  @Test func udp() throws {
    let node = try node(.udp)
    for (i, service) in services.enumerated() {
      #expect(node.udp(.client(5000 + UInt16(i)), service).verdict == .forward(7))
    }
    for (i, service) in services.enumerated().reversed() {
      let reply = node.udp(.pod(7, 8080), .client(5000 + UInt16(i)))
      #expect(reply.source == service)
      #expect(reply.problems.isEmpty)
    }
  }

  /// The same client port to two Services with the same endpoint: after
  /// translation one cannot tell them apart, so the later one is refused and the
  /// earlier one is left alone.
  @Test(arguments: TransportProtocol.allCases)
  func collision(transport: TransportProtocol) throws {
    let node = try node(transport)
    func open(_ service: Socket) -> Verdict {
      transport == .tcp
        ? node.tcp(.client(), service, .syn).verdict : node.udp(.client(), service).verdict
    }
    func reply() -> Outcome {
      transport == .tcp
        ? node.tcp(.pod(7, 8080), .client(), [.syn, .ack])
        : node.udp(.pod(7, 8080), .client())
    }
    #expect(open(services[0]) == .forward(7))
    for other in services[1...] {
      #expect(open(other) == .drop(.natCollision))
      #expect(reply().source == services[0])
    }
    // Once the first one is forgotten, the other may.
    node.now += 200
    #expect(open(services[2]) == .forward(7))
    #expect(reply().source == services[2])
    #expect(open(services[0]) == .drop(.natCollision))
  }

  /// What is refused does not keep the flow alive that it is refused for.
  @Test(arguments: TransportProtocol.allCases)
  func refusedForAWhileOnly(transport: TransportProtocol) throws {
    let node = try node(transport)
    func open(_ service: Socket) -> Verdict {
      transport == .tcp
        ? node.tcp(.client(), service, .syn).verdict : node.udp(.client(), service).verdict
    }
    #expect(open(services[0]) == .forward(7))
    for _ in 0..<5 {
      node.now += 5
      #expect(open(services[1]) == .drop(.natCollision))
    }
    node.now += transport == .tcp ? 35 : 5
    #expect(open(services[1]) == .forward(7))
  }

  /// Traffic that no Service translates passes as it is.
  @Test func directTraffic() throws {
    let node = try node(.tcp)
    node.connect(.client(), services[0])
    let direct = node.tcp(.client(5001), .pod(7, 8080), .syn)
    #expect(direct.destination == .pod(7, 8080))
    #expect(node.tcp(.pod(7, 8080), .client(5001), [.syn, .ack]).source == .pod(7, 8080))
  }
}
