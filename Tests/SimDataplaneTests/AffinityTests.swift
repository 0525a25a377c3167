import Core
import Testing

/// R5: a flow keeps its endpoint, in both directions, whatever happens to others.
@Suite struct AffinityTests {
  private let clients = (0..<40).map { Socket.client(40_000 + UInt16($0)) }

  @Test func tcpAcrossEndpointChanges() throws {
    let node = try Node(pods: [7, 8, 9, 10])
    try node.serve(by: [7: 1, 8: 1])
    var pinned: [Socket: Socket] = [:]
    for client in clients { pinned[client] = node.connect(client, .service) }
    #expect(Set(pinned.values).count == 2)

    func check() {
      node.now += 100
      for client in clients {
        guard let endpoint = pinned[client] else { continue }
        let out = node.tcp(client, .service, [.ack, .psh])
        #expect(out.destination == endpoint)
        #expect(out.verdict == .forward(endpoint == .pod(7, 8080) ? 7 : 8))
        let reply = node.tcp(endpoint, client, .ack)
        #expect(reply.source == .service)
        #expect(reply.verdict == .forward(Node.client.port))
      }
    }
    check()
    try node.serve(by: [7: 1, 8: 1, 9: 1])
    check()
    try node.serve(by: [7: 9, 8: 1, 9: 1, 10: 3])
    check()
    try node.serve(by: [7: 1, 8: 1, 10: 1])
    check()
    try node.change { $0.pods.removeAll { $0.name == "pod-9" } }
    check()
    // Out of the Service, but alive.
    try node.serve(by: [8: 1])
    check()
    try node.change { $0.services = [] }
    check()
  }

  /// UDP moves only when its own endpoint goes.
  @Test func udpAcrossEndpointChanges() throws {
    let node = try Node(pods: [7, 8, 9])
    try node.serve(.udp, by: [7: 1, 8: 1])
    var pinned: [Socket: Socket] = [:]
    for client in clients { pinned[client] = node.udp(client, .service).destination }
    #expect(Set(pinned.values).count == 2)
    func check() {
      node.now += 10
      for client in clients {
        guard let endpoint = pinned[client] else { continue }
        #expect(node.udp(client, .service).destination == endpoint)
        #expect(node.udp(endpoint, client).source == .service)
      }
    }
    check()
    try node.serve(.udp, by: [7: 1, 8: 1, 9: 1])
    check()
    try node.serve(.udp, by: [7: 5, 8: 1, 9: 1])
    check()
  }

  /// Slots that another endpoint had before are unpinned when that one leaves; a
  /// stream that comes back to its endpoint is still a stream.
  @Test func udpStreamOfUnpinnedSlot() throws {
    let node = try Node(pods: [7, 8, 9, 10])
    try node.serve(.udp, by: [7: 1, 10: 1])
    try node.serve(.udp, by: [7: 1, 8: 1, 10: 1])
    for client in clients {
      let endpoint = node.udp(client, .service).destination
      node.udp(endpoint, client)
    }
    try node.serve(.udp, by: [8: 1, 10: 1])
    let pinned = clients.map { node.udp($0, .service).destination }
    for (client, endpoint) in zip(clients, pinned) { node.udp(endpoint, client) }
    #expect(node.flows.allSatisfy { $0.timer == .udpStream })
    try node.serve(.udp, by: [8: 1, 9: 20, 10: 1])
    // Only the endpoints talk, for longer than an unreplied flow is remembered.
    for _ in 0..<8 {
      node.now += 10
      for (client, endpoint) in zip(clients, pinned) {
        #expect(node.udp(endpoint, client).source == .service)
      }
    }
    #expect(clients.map { node.udp($0, .service).destination } == pinned)
  }

  /// A retransmitted SYN goes where the first one went.
  @Test func retransmittedSYN() throws {
    let node = try Node(pods: [7, 8, 9])
    try node.serve(by: [7: 1, 8: 1])
    let first = clients.map { node.tcp($0, .service, .syn).destination }
    try node.serve(by: [7: 1, 8: 1, 9: 6])
    node.now += 3
    #expect(clients.map { node.tcp($0, .service, .syn).destination } == first)
    node.now += 6
    #expect(clients.map { node.tcp($0, .service, .ack).destination } == first)
  }

  /// The half-open entry may die: the established one has its own timer.
  @Test func longLivedFlow() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(by: [7: 1, 8: 1])
    let endpoint = node.connect(.client(), .service)
    for _ in 0..<10 {
      node.now += 40_000
      #expect(node.tcp(.client(), .service, .ack).destination == endpoint)
      #expect(node.tcp(endpoint, .client(), .ack).source == .service)
    }
  }
}
