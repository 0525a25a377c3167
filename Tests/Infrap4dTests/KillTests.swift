import Foundation
import NodeTesting
import Testing

/// A server that is killed over and over while pods talk.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct KillTests {
  /// SplitMix64, so that the moments are the same on every run.
  private struct Moments {
    var state: UInt64

    mutating func next(below bound: UInt64) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % bound)
    }
  }

  @Test(arguments: SurvivalTests.engines) func connectionsOutliveTheServer(
    _ engine: String
  ) async throws {
    let node = try await ServiceNode(["--dataplane", engine])
    let vip = ServiceNode.vip
    let echo = try await LongConnection.serve(in: node.web, port: 8080)
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    let connection = try await LongConnection(
      from: node.client, to: vip, port: 80, folder: node.server.folder)
    try await connection.exchange(1)
    let before = try await node.entries()
    #expect(before.count == 15)
    try await node.flowsAreKept()
    let gnmi = GNMIClient(server: node.server)
    var moments = Moments(state: 4)
    for _ in 0..<10 {
      try await connection.exchange(moments.next(below: 100))
      try await node.server.killHard()
      try await node.server.start(["--dataplane", engine])
      // New connections, and the one that was there.
      _ = try await Transfer.send(100_000, from: node.client, to: vip, port: 81)
      try await connection.exchange(2)
      for (id, name) in node.names.enumerated() {
        #expect(try await gnmi.id(name) == UInt64(id))
      }
      #expect(try await node.entries() == before)
    }
    // Told to stop, it keeps what began a moment ago.
    let young = try await LongConnection(
      from: node.client, to: vip, port: 80, folder: node.server.folder)
    try await young.exchange(1)
    #expect(try await node.server.stop() == 0)
    try await node.server.start(["--dataplane", engine])
    try await young.exchange(2)
    try await connection.exchange(2)
    // A file that was damaged: the entries are there, and the flows are not.
    try await node.server.killHard()
    let file = URL(fileURLWithPath: node.server.state + "/flows.log")
    var content = try Data(contentsOf: file)
    content[content.count / 2] ^= 1
    try content.write(to: file)
    try await node.server.start(["--dataplane", engine])
    #expect(node.server.log.contains("starting without it"))
    #expect(!node.server.log.contains("flows restored"))
    _ = try await Transfer.send(100_000, from: node.client, to: vip, port: 81)
    #expect(try await node.entries() == before)
    try await node.stop()
    withExtendedLifetime((echo, transfers)) {}
  }
}
