import Core
import Testing

/// R3.
@Suite struct ARPTests {
  private func request(for target: IPv4Address, vlan: UInt16? = nil) -> [UInt8] {
    PacketBuilder(from: Node.client.mac, to: .broadcast, vlan: vlan).arp(
      operation: 1, senderMAC: Node.client.mac, senderIP: Node.client.ip, targetIP: target)
  }

  @Test func requestsByTarget() throws {
    let node = try Node(pods: [7, 8])
    for target in [Node.pod(7), Node.pod(8), Node.host, Node.gateway] {
      let out = node.send(request(for: target.ip))
      #expect(out.verdict == .forward(target.port))
      #expect(out.bytes == request(for: target.ip))
    }
  }

  @Test func gatewayIsTheProxys() throws {
    let node = try Node()
    #expect(node.send(request(for: Node.gateway.ip)).verdict == .forward(0))
  }

  @Test func repliesReachTheirTarget() throws {
    let node = try Node(pods: [7])
    let reply = PacketBuilder(from: Node.pod(7).mac, to: Node.client.mac).arp(
      operation: 2, senderMAC: Node.pod(7).mac, senderIP: Node.pod(7).ip,
      targetMAC: Node.client.mac, targetIP: Node.client.ip)
    let out = node.send(reply)
    #expect(out.verdict == .forward(Node.client.port))
    #expect(out.bytes == reply)
  }

  @Test func unknownTargetIsTheHosts() throws {
    let node = try Node()
    let frame = request(for: IPv4Address(0x0AF4_00FE))
    let out = node.send(frame)
    #expect(out.verdict == .forward(K8sDP.hostPort))
    #expect(out.bytes == frame)
  }

  @Test func behindATag() throws {
    let node = try Node(pods: [7])
    let frame = request(for: Node.pod(7).ip, vlan: 0x2005)
    let out = node.send(frame)
    #expect(out.verdict == .forward(7))
    #expect(out.bytes == frame)
  }
}
