import Core
import Testing

/// R9: a full flow table, and flows that look the same.
@Suite struct FlowTableTests {
  /// Four entries: two flows fit.
  private func node(_ transport: TransportProtocol) throws -> Node {
    let node = try Node(pods: [7], sizes: ["flows": 1])
    try node.serve(transport, by: [7: 1])
    return node
  }

  @Test func newTCPFlowIsRefused() throws {
    let node = try node(.tcp)
    for port in UInt16(1)...2 {
      #expect(node.tcp(.client(port), .service, .syn).verdict == .forward(7))
    }
    for _ in 0..<3 {
      let out = node.tcp(.client(3), .service, .syn)
      #expect(out.verdict == .drop(.flowTableFull))
      #expect(out.destination == .service)
    }
    #expect(node.tcp(.client(3), .service, .ack).verdict == .drop(.noFlow))
    #expect(node.learner.learnFailed > 0)
  }

  /// The handshakes of two flows end in a table without a free place: they go on
  /// in both directions, and live as long as any established flow.
  @Test func existingTCPFlowsDoNotSuffer() throws {
    let node = try node(.tcp)
    for port in UInt16(1)...2 { node.tcp(.client(port), .service, .syn) }
    for round in 0..<20 {
      for port in UInt16(1)...2 {
        #expect(node.tcp(.pod(7, 8080), .client(port), .ack).source == .service)
        let out = node.tcp(.client(port), .service, .ack)
        #expect(out.verdict == .forward(7), "round \(round)")
        #expect(out.destination == .pod(7, 8080))
        #expect(out.problems.isEmpty)
      }
      #expect(node.tcp(.client(9), .service, .syn).verdict == .drop(.flowTableFull))
      node.now += 20_000
    }
    // Once one ends, the other one gets its own entry.
    node.tcp(.client(1), .service, .rst)
    node.now += 15
    #expect(node.tcp(.client(2), .service, .ack).verdict == .forward(7))
    #expect(node.flows.contains { $0.source == .client(2) && $0.timer == .tcpEstablished })
  }

  @Test func udp() throws {
    let node = try node(.udp)
    for port in UInt16(1)...2 {
      #expect(node.udp(.client(port), .service).verdict == .forward(7))
    }
    for _ in 0..<20 {
      let out = node.udp(.client(3), .service)
      #expect(out.verdict == .drop(.flowTableFull))
      #expect(out.destination == .service)
      for port in UInt16(1)...2 {
        #expect(node.udp(.client(port), .service).verdict == .forward(7))
        #expect(node.udp(.pod(7, 8080), .client(port)).source == .service)
      }
      node.now += 20
    }
    // Places of dead flows are free again.
    node.now += 130
    #expect(node.udp(.client(3), .service).verdict == .forward(7))
  }

  /// One free place is not enough for a flow: it is refused, not served in one
  /// direction.
  @Test(arguments: TransportProtocol.allCases)
  func oneFreePlace(transport: TransportProtocol) throws {
    let node = try node(transport)
    // A promoted flow has three entries for a while.
    try node.serve(.tcp, port: 90, by: [7: 1])
    node.tcp(.client(1), Socket(ip: Node.vip, port: 90), .syn)
    node.tcp(.client(1), Socket(ip: Node.vip, port: 90), .ack)
    #expect(node.flows.count == 3)
    for _ in 0..<3 {
      let out =
        transport == .tcp ? node.tcp(.client(2), .service, .syn) : node.udp(.client(2), .service)
      #expect(out.verdict == .drop(.flowTableFull))
      #expect(out.destination == .service)
    }
    #expect(node.tcp(.client(1), Socket(ip: Node.vip, port: 90), .ack).verdict == .forward(7))
  }

  /// What no Service translates needs no place.
  @Test func directTrafficNeedsNoPlace() throws {
    let node = try node(.tcp)
    for port in UInt16(1)...100 {
      #expect(node.tcp(.client(port), .pod(7, 8080), .syn).verdict == .forward(7))
      #expect(node.udp(.client(port), .pod(7, 8080)).verdict == .forward(7))
    }
    #expect(node.flows.isEmpty)
  }
}
