import ClusterTesting
import Foundation
import NodeTesting
import Testing

/// Anybody on the node may reach the ports of manager and agent: what is no request, and what
/// is too much of it, harms nobody. infrap4d's is in SecurityTests.
@Suite(
  .serialized, .enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct HostileClientTests {
  @Test(
    "Garbage, broken and oversized messages, half-open streams, floods",
    arguments: [
      (ClusterNode.Daemon.infraagent, 50001, "/cni.CniDataplane/Add"),
      (.inframanager, 50002, "/infra.InfraAgent/CreateNetwork"),
    ])
  func hostile(_ daemon: ClusterNode.Daemon, _ port: Int, _ path: String) async throws {
    let chance = Chance(of: "hostile(\(daemon))")
    let node = try await ClusterNode("model", addresses: .ports)
    func podsComeAndGo() async throws {
      let pods = PodChurn(on: node, workers: 1, seed: chance.seed, pods: 2)
      #expect(try await pods.finish(now: false).wrong == [], "seed \(chance.seed)")
    }
    try await podsComeAndGo()
    let before = try await node.settledInventory()
    let memory = try await node.metrics(of: daemon)["process_resident_memory_bytes"] ?? 0

    let attacker = try await HostileClient.attack(port, path, on: node, seed: chance.seed)
    // While its connections and streams are open others are served.
    try await podsComeAndGo()
    try await node.namespace.exec(
      ClusterNode.products.appendingPathComponent("inframanager").path, "--check", "--set",
      "InfraManager.addr=127.0.0.1:50002")
    #expect(try await node.check().hasSuffix("200"))
    let now = try await node.metrics(of: daemon)["process_resident_memory_bytes"] ?? 0
    #expect(now - memory < 100 * 1024 * 1024, "from \(memory) to \(now) bytes")
    attacker.end()
    let left = try await node.differences(from: before)
    #expect(left == [], "seed \(chance.seed)")
    try await podsComeAndGo()
  }
}
