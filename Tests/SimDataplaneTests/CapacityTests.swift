import Core
import Testing

@testable import SimDataplane

/// R15, with the sizes of the contract.
@Suite struct CapacityTests {
  /// 16,384 Service ports a protocol, 131,072 endpoints and 65,536 pods at once.
  ///
  /// Rows go in by hand; each Service port has four slots for its four endpoints.
  @Test func programmed() throws {
    let plane = SimDataplane()
    let hop = K8sDP.Hop(egress: 5, dstMAC: MACAddress(0x0200_0000_0005), srcMAC: Node.gateway.mac)
    var updates: [Update] = []
    for pod in UInt32(0)..<65_536 {
      let address = IPv4Address(0x0A00_0000 + pod)
      updates.append(.insert(K8sDP.route(address, hop)))
      updates.append(.insert(K8sDP.arpTarget(address, egress: 5)))
    }
    for port in UInt32(0)..<32_768 {
      let transport: TransportProtocol = port < 16_384 ? .tcp : .udp
      for i in UInt32(0)..<4 {
        let id = port * 4 + i + 1
        updates.append(
          .insert(
            K8sDP.endpoint(
              id, address: IPv4Address(0x0A00_0000 + id / 2), port: UInt16(id % 2), .hop(hop))))
      }
      let slots = (0..<4).map { K8sDP.Slot(endpoint: port * 4 + $0 + 1, epoch: 0) }
      updates.append(.insert(K8sDP.slots(service: port + 1, row: 0, slots)))
      updates.append(
        .insert(
          K8sDP.service(
            IPv4Address(0x0B00_0000 + port % 16_384), port: 80, transport: transport,
            id: port + 1, mask: 3)))
    }
    try plane.apply(updates)

    // The first and the last of everything are reached.
    for port in [0, 1, 16_382, 16_383] as [UInt32] {
      let ip = PacketBuilder.IPv4(from: Node.client.ip, to: IPv4Address(0x0B00_0000 + port))
      var tcp = Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .syn))
      var udp = Node.ether.udp(ip, .init(from: 1, to: 80))
      #expect(plane.process(&tcp, port: 0, at: .zero) == .forward(5))
      #expect(plane.process(&udp, port: 0, at: .zero) == .forward(5))
      let first = UInt16(port * 4 + 1)
      let address = FrameLayers(tcp).ipv4?.destination.value ?? 0
      #expect(
        (0x0A00_0000 + UInt32(first) / 2...0x0A00_0000 + (UInt32(first) + 3) / 2).contains(address))
    }
    var last = Node.ether.icmp(
      .init(from: Node.client.ip, to: IPv4Address(0x0A00_FFFF)), type: 8)
    #expect(plane.process(&last, port: 0, at: .zero) == .forward(5))
  }

  /// Sizes that the rule asks for, and that the contract has.
  @Test func sizes() throws {
    let contract = SimDataplane().contract
    func size(_ table: K8sDP.Table) -> Int { contract.table(table.name)?.size ?? 0 }
    #expect(size(.services) >= 2 * 16_384)
    #expect(size(.endpoints) >= 131_072)
    #expect(size(.routes) >= 65_536 + 16_384)
    #expect(size(.arpTargets) >= 65_536)
    // Four endpoints on average; five that are alike take 32 slots.
    #expect(size(.slots) * K8sDP.slotsPerRow >= 2 * 16_384 * 32)
    let flows = try #require(contract.learners.first { $0.name == "flows" })
    #expect(flows.buckets * 4 >= 2 * 1_048_576)
  }

  /// Many flows at once in the contract's own table: 65,536 rather than all
  /// 1,048,576, for time's sake (EvennessTests has that load). With one entry in
  /// sixteen buckets hardly any finds four others in its own.
  @Test func flows() throws {
    let node = try Node(pods: [7, 8, 9, 10], sizes: ["flows": K8sDP.contract.learners[0].buckets])
    try node.serve(.udp, by: [7: 1, 8: 1, 9: 1, 10: 1])
    var refused = 0
    for i in 0..<65_536 {
      let client = Socket(
        ip: IPv4Address(0x0AF4_0100 + UInt32(i / 16_384)), port: 32_768 + UInt16(i % 16_384))
      if node.udp(client, .service, payload: []).verdict == .drop(.flowTableFull) { refused += 1 }
    }
    #expect(refused == 0)
    #expect(node.learner.learned == 2 * 65_536)
  }
}
