import Foundation
import GRPCCore
import Glibc
import NodeTesting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// A connection through a Service goes on whatever happens at the control ports.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct UnderAttackTests {
  /// A server built for debugging takes some hundred connections a second.
  @Test(arguments: zip(SurvivalTests.engines, [10_000, 1_000]))
  func forwardingGoesOn(_ engine: String, _ connections: Int) async throws {
    let node = try await ServiceNode([
      "--dataplane", engine, "--insecure", "--listen", "127.0.0.1:0", "--max-connections", "300",
    ])
    let server = node.server
    // Both addresses are listened at, in any order.
    while server.log.components(separatedBy: "listening").count <= 2 {
      try await Task.sleep(for: .milliseconds(10))
    }
    let port = try #require(
      server.log.firstMatch(of: /\]127\.0\.0\.1:([0-9]+)/).flatMap { Int($0.1) })
    let before = try await node.entries()
    let echo = try await LongConnection.serve(in: node.web, port: 8080)
    let connection = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: server.folder)
    try await connection.exchange(5)

    // Connections that say nothing, and some that say nonsense.
    try await Self.flood(port, connections, between: connection)
    for _ in 0..<3 {
      try await RawClient.breakOff(64 << 20, port: port)
      try await connection.exchange(5)
    }
    try await Self.mistakes(server)
    try await connection.exchange(5)

    #expect(try await node.entries() == before)
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    _ = try await Transfer.send(100_000, from: node.client, to: ServiceNode.vip, port: 81)
    withExtendedLifetime((echo, transfers)) {}
    try await node.stop()
  }

  private static func flood(
    _ port: Int, _ count: Int, between connection: LongConnection
  ) async throws {
    var held: [Int32] = []
    defer { for descriptor in held { close(descriptor) } }
    let garbage = [UInt8](repeating: 0xA5, count: 4096)
    for n in 0..<count {
      let descriptor = SecurityTests.connect(port)
      guard descriptor >= 0 else { continue }
      held.append(descriptor)
      if n % 7 == 0 { send(descriptor, garbage, garbage.count, Int32(MSG_NOSIGNAL)) }
      if held.count > 400 { close(held.removeFirst()) }
      // More at once than the listener's backlog (NIO's 128) wait a second for their next attempt.
      if n % 100 == 0 { try await connection.exchange(1) }
    }
    #expect(held.count >= 400)
    try await connection.exchange(5)
  }

  /// A controller, and a primary one, that asks for what cannot be.
  private static func mistakes(_ server: ServerProcess) async throws {
    @Sendable func expectRefusal(_ body: () async throws -> Void) async {
      await #expect(throws: RPCError.self) { try await body() }
    }
    // The one that made the entries had a high id.
    let high = UInt64.max
    try await TestController.run(
      try TestController.unix(server.socket), electionID: high
    ) { controller in
      for config in [
        P4_V1_ForwardingPipelineConfig(), .with { $0.p4DeviceConfig = Data([0xFF, 0xFF]) },
        try Pipelines.make(spec: "apply {", info: Balancer.info),
      ] {
        await expectRefusal { try await controller.push(config, electionID: high) }
      }
      let entity = P4_V1_Entity.table(.row(77, [1], action: .call(999)))
      for updates in [
        [P4_V1_Update()], [entity.insert], [entity.delete], [P4_V1_Entity().modify],
        [P4_V1_Entity.counter(5, -1).modify], [P4_V1_Entity.member(1, 1).insert],
      ] {
        await expectRefusal { try await controller.write(updates, electionID: high) }
        await expectRefusal {
          try await controller.write(updates, .dataplaneAtomic, electionID: high)
        }
        await expectRefusal { try await controller.write(updates, electionID: 3) }
      }
    }
    let gnmi = GNMIClient(server: server)
    for arguments in [
      "device:virtual-device,name:../../etc,port-type:TAP", "device:virtual-device,name:,mtu:0",
      "device:virtual-device,name:x,port-type:TAP,mtu:99999999",
    ] {
      #expect(try await gnmi.ctl("set", arguments).status != 0)
    }
  }
}
