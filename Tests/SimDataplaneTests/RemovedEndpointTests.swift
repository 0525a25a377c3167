import Core
import Testing

/// R8: an endpoint that is gone.
@Suite struct RemovedEndpointTests {
  private let clients = (0..<64).map { Socket.client(40_000 + UInt16($0)) }

  @Test func noNewFlowFromTheCommitOn() throws {
    let node = try Node(pods: [7, 8])
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [7: 1, 8: 1]) }
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [8: 1]) }
    for client in clients {
      #expect(node.tcp(client, .service, .syn).verdict == .forward(8))
      #expect(node.udp(client, .service).verdict == .forward(8))
    }
  }

  @Test func udpMovesAtOnce() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(.udp, by: [7: 1, 8: 1])
    let before = clients.map { node.udp($0, .service).verdict }
    #expect(Set(before) == [.forward(7), .forward(8)])
    try node.serve(.udp, by: [8: 1])
    for client in clients {
      #expect(node.udp(client, .service).verdict == .forward(8))
      #expect(node.udp(.pod(8, 8080), client).source == .service)
    }
    // And stays there when the old one comes back.
    try node.serve(.udp, by: [8: 1, 7: 1])
    let after = clients.map { node.udp($0, .service).verdict }
    #expect(after.filter { $0 == .forward(7) }.count < clients.count)
  }

  @Test func tcpLivesUntilThePodIsRemoved() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1, 8: 1])
    let endpoints = clients.map { node.connect($0, .service) }
    try node.serve(by: [8: 1])
    for (client, endpoint) in zip(clients, endpoints) {
      #expect(node.tcp(client, .service, .ack).destination == endpoint)
      #expect(node.tcp(endpoint, client, .ack).source == .service)
    }
    try node.change { $0.pods.removeAll { $0.name == "pod-7" } }
    for (client, endpoint) in zip(clients, endpoints) {
      let verdict = node.tcp(client, .service, .ack).verdict
      #expect(verdict == (endpoint == .pod(7, 8080) ? .drop(.endpointGone) : .forward(8)))
    }
  }

  /// Draining by weight 0 is the same.
  @Test func drainingByWeight() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1, 8: 1])
    let endpoints = clients.map { node.connect($0, .service) }
    try node.serve(by: [7: 0, 8: 1])
    for (client, endpoint) in zip(clients, endpoints) {
      #expect(node.tcp(client, .service, .ack).destination == endpoint)
    }
    for port in 0..<64 {
      let new = Socket.client(50_000 + UInt16(port))
      #expect(node.tcp(new, .service, .syn).verdict == .forward(8))
    }
  }

  /// A handshake under way goes on; it is no new flow.
  @Test func handshakeUnderWay() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1])
    node.tcp(.client(), .service, .syn)
    try node.serve(by: [8: 1])
    #expect(node.tcp(.client(), .service, .syn).verdict == .forward(7))
    #expect(node.tcp(.pod(7, 8080), .client(), [.syn, .ack]).source == .service)
    #expect(node.tcp(.client(), .service, .ack).verdict == .forward(7))
  }

  /// A client that uses its port again opens a new flow: not to the endpoint
  /// that takes none, and to another one by one of its next attempts: the engine counts
  /// time in steps of 2^32 cycles.
  @Test(arguments: [TCPFlags.ack, [.fin, .ack], .rst])
  func portUsedAgain(last: TCPFlags) throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1])
    node.connect(.client(), .service)
    node.now += 70
    node.tcp(.client(), .service, .ack)
    node.tcp(.client(), .service, last)
    try node.serve(by: [8: 1])
    node.now += 1
    #expect(node.tcp(.client(), .service, .syn).verdict == .drop(.endpointGone))
    #expect(node.syn(attempts: 3) == .forward(8))
    #expect(node.tcp(.pod(8, 8080), .client(), [.syn, .ack]).source == .service)
  }

  /// The same soon after the handshake, whose entry must not outlive the flow.
  @Test(arguments: [TCPFlags.ack, [.fin, .ack], .rst])
  func portUsedAgainSoon(last: TCPFlags) throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1])
    node.connect(.client(), .service)
    node.tcp(.client(), .service, last)
    try node.serve(by: [8: 1])
    #expect(node.syn(attempts: 3) == .forward(8))
  }

  @Test func removedService() throws {
    let node = try Node(pods: [7])
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [7: 1]) }
    node.connect(.client(), .service)
    node.udp(.client(), .service)
    try node.change { $0.services = [] }
    // The address is nobody's now: to the host, untranslated.
    #expect(node.tcp(.client(1), .service, .syn).verdict == .forward(K8sDP.hostPort))
    #expect(node.udp(.client(), .service).destination == .service)
    #expect(node.tcp(.client(), .service, .ack).verdict == .forward(7))
  }
}

extension Node {
  /// A client's SYN and, while it is dropped, its repetitions: 1 s each as Linux sends the
  /// first ones (`tcp_syn_linear_timeouts`).
  ///
  /// - Returns: what became of the last.
  fileprivate func syn(attempts: Int) -> Verdict {
    var verdict = Verdict.drop(.endpointGone)
    for _ in 0..<attempts where verdict == .drop(.endpointGone) {
      now += 1.01
      verdict = tcp(.client(), .service, .syn).verdict
    }
    return verdict
  }
}
