import ClusterTesting
import NodeTesting
import Testing

/// What pods leave behind: nothing.
extension EndToEndTests {
  @Test("Pods that come and go leave nothing behind", arguments: Requirements.engines)
  func noLeaks(_ engine: String) async throws {
    let chance = Chance(of: "noLeaks(\(engine))")
    let node = try await ClusterNode(engine)
    // The ARP proxy's and the host's; those of pods are made in the pods.
    let own = ["P4TAP_0", "P4TAP_1"]
    /// As many at once as the kubelet of a busy node has.
    func comeAndGo(_ pods: Int) async throws {
      let churn = PodChurn(on: node, workers: 8, seed: chance.seed, pods: pods)
      #expect(try await churn.finish(now: false).wrong == [], "seed \(chance.seed)")
    }
    // Programs open what they need once.
    try await comeAndGo(2)
    let before = try await node.settledInventory()
    #expect(before[.interface].filter { $0.hasPrefix("P4TAP_") } == own)
    #expect(before.count(.record) == 0 && before.count(.attachment) == 0)
    try await comeAndGo(6)
    let left = try await node.differences(from: before)
    #expect(left == [], "seed \(chance.seed)")
  }
}
