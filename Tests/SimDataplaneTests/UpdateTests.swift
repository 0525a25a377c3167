import Core
import Testing

@testable import SimDataplane

/// Updates take effect as a whole or not at all.
@Suite struct UpdateTests {
  static let hop = K8sDP.Hop(
    egress: 9, dstMAC: MACAddress(0x0200_0000_0209), srcMAC: Node.gateway.mac)
  static let noPort = K8sDP.Hop(egress: 1024, dstMAC: .zero, srcMAC: .zero)
  static let new = IPv4Address(0x0AF4_0063)

  static let bad: [Update] = [
    .insert(K8sDP.route(Node.client.ip, hop)),
    .insert(K8sDP.route(IPv4Address(2), noPort)),
    .insert(K8sDP.arpTarget(IPv4Address(2), egress: .max)),
    .insert(K8sDP.endpoint(99, address: new, port: 1, .drain(noPort))),
    .modify(K8sDP.route(IPv4Address(2), hop)),
    .delete(table: "routes", key: [2]),
    .delete(table: "routes", key: []),
    .delete(table: "flows", key: [2]),
    .insert(TableEntry(table: "nothing", key: [2], action: "route_vip")),
    .insert(TableEntry(table: "routes", key: [1 << 32], action: "route_vip")),
    .insert(TableEntry(table: "routes", key: [2], action: "endpoint_gone")),
    .insert(TableEntry(table: "routes", key: [2], action: "route_host")),
    .insert(TableEntry(table: "routes", key: [2], action: "route_vip", arguments: [1])),
    .insert(TableEntry(table: "routes", key: [2], action: "route_hop", arguments: [1])),
    .insert(
      TableEntry(table: "endpoints", key: [2], action: "endpoint_host", arguments: [1, 1 << 16])),
    .setGroup(selector: "slots", group: 0, members: []),
  ]

  /// A bad update between good ones that insert, modify and delete.
  @Test(arguments: bad)
  func badUpdateInTheMiddle(update: Update) throws {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    let before = try K8sDP.Table.allCases.map { try node.plane.entries(of: $0.name) }
    let ping = Node.ether.icmp(.init(from: Node.client.ip, to: Self.new), type: 8)
    let syn = Node.ether.tcp(
      .init(from: Node.client.ip, to: Node.vip), .init(from: 1, to: 80, flags: .syn))
    let service = try #require(try node.plane.entries(of: "services").first)
    #expect(throws: DataplaneError.self) {
      try node.plane.apply([
        .insert(K8sDP.route(Self.new, Self.hop)),
        .modify(K8sDP.route(Node.pod(7).ip, Self.hop)),
        .modify(K8sDP.endpoint(1, address: Self.new, port: 1, .host)),
        .delete(table: "services", key: service.key),
        update,
        .delete(table: "routes", key: [UInt64(Node.client.ip.value)]),
      ])
    }
    #expect(try K8sDP.Table.allCases.map { try node.plane.entries(of: $0.name) } == before)
    // The pipeline itself has not moved either.
    #expect(node.send(ping).verdict == .forward(K8sDP.hostPort))
    #expect(node.send(syn).verdict == .forward(7))
    #expect(node.tcp(.client(2), .pod(7, 80), .syn).verdict == .forward(7))
    #expect(node.tcp(.pod(7, 80), .client(2), .ack).verdict == .forward(6))
  }

  /// Later updates of a batch see the earlier ones.
  @Test func orderWithinABatch() throws {
    let node = try Node()
    try node.plane.apply([
      .insert(K8sDP.route(Self.new, Self.hop)),
      .delete(table: "routes", key: [UInt64(Self.new.value)]),
      .insert(K8sDP.routeVIP(Self.new)),
      .modify(K8sDP.route(Self.new, Self.hop)),
    ])
    let ping = Node.ether.icmp(.init(from: Node.client.ip, to: Self.new), type: 8)
    #expect(node.send(ping).verdict == .forward(9))
  }

  /// No intent leads UDP to an endpoint that drains; rows may. Only TCP has connections
  /// that are new.
  @Test func udpToADrainingEndpoint() throws {
    let node = try Node(pods: [7])
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [7: 1]) }
    for id: UInt32 in [1, 2] {
      try node.plane.apply([
        .modify(K8sDP.endpoint(id, address: Self.new, port: 9090, .drain(Self.hop)))
      ])
    }
    #expect(node.tcp(.client(), .service, .syn).verdict == .drop(.endpointGone))
    for _ in 1...2 {
      let outcome = node.udp(.client(), .service)
      #expect(outcome.verdict == .forward(9))
      #expect(outcome.destination == Socket(ip: Self.new, port: 9090))
    }
  }

  @Test func tableFull() throws {
    let node = try Node(sizes: ["routes": 5])
    func rows(_ range: ClosedRange<UInt32>) -> [Update] {
      range.map { .insert(K8sDP.route(IPv4Address($0), Self.hop)) }
    }
    // Gateway, host and client are three.
    let error = #expect(throws: DataplaneError.self) { try node.plane.apply(rows(1...3)) }
    #expect(error?.code == .resourceExhausted)
    #expect(try node.plane.entries(of: "routes").count == 3)
    try node.plane.apply(rows(1...2))
    // A row that goes makes room for one that comes.
    try node.plane.apply([.delete(table: "routes", key: [1])] + rows(3...3))
  }

  @Test func entriesInOrder() throws {
    let node = try Node()
    try node.plane.apply(
      [7, 3, 9, 1].map { .insert(K8sDP.route(IPv4Address($0), Self.hop)) })
    #expect(try node.plane.entries(of: "routes").prefix(4).map(\.key) == [[1], [3], [7], [9]])
    #expect(throws: DataplaneError.self) { try node.plane.entries(of: "nothing") }
  }
}
