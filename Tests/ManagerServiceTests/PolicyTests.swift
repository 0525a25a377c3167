import InfraProtos
import Testing

@testable import ManagerService

/// What Calico says is kept, also by the next process.
@Suite struct PolicyTests {
  private static let policy = Felix_ActivePolicyUpdate.with {
    $0.id.name = "deny"
    $0.policy.inboundRules = [.with { $0.action = "deny" }]
  }
  private static let set = Felix_IPSetUpdate.with {
    $0.id = "s:web"
    $0.members = ["10.244.0.6", "10.244.0.7"]
  }
  private static let delta = Felix_IPSetDeltaUpdate.with {
    $0.id = "s:web"
    $0.addedMembers = ["10.244.0.8"]
    $0.removedMembers = ["10.244.0.6"]
  }

  @Test func policiesOutliveTheManager() async throws {
    let folder = try Folder()
    let kept: [[String]: UInt64] = [["policy"]: 1, ["ip_set"]: 1, ["route"]: 1]
    func counts(_ manager: Manager) async -> [[String]: UInt64] {
      await manager.activity().policies.filter { $0.value > 0 }
    }
    try await Manager.run(state: folder.path) { manager in
      let client = manager.client
      _ = try await client.activePolicyUpdate(Self.policy)
      _ = try await client.updateIPSet(Self.set)
      _ = try await client.updateIPSetDelta(Self.delta)
      _ = try await client.updateRoute(.with { $0.dst = "10.244.1.0/24" })
      _ = try await client.updateNamespace(.with { $0.id.name = "web" })
      _ = try await client.removeNamespace(.with { $0.id.name = "web" })
      #expect(await counts(manager) == kept)
    }
    // A pipeline is not known by policies: it is not taken for an empty one.
    let tables = Tables()
    try await Manager.run(tables: tables) { try await $0.pod(2) }
    try await Manager.run(state: folder.path, tables: tables) { manager in
      #expect(await counts(manager) == kept)
      try await manager.pod(3)
      #expect(manager.tables.entries(of: "routes").count == 2)
      _ = try await manager.client.activePolicyRemove(.with { $0.id.name = "deny" })
    }
    try await Manager.run(state: folder.path) { manager in
      #expect(await counts(manager) == [["ip_set"]: 1, ["route"]: 1])
      #expect(manager.tables.entries(of: "routes").count == 2)
      _ = try await manager.client.updateIPSetDelta(Self.delta)
    }
  }

  @Test func aChangeOfNoSetIsRefused() async throws {
    try await Manager.run { manager in
      let code = await Manager.code { _ = try await manager.client.updateIPSetDelta(Self.delta) }
      #expect(code == .notFound)
      #expect(await manager.activity().policies[["ip_set"]] == 0)
    }
  }

  @Test func theLastWordIsKept() throws {
    var store = PolicyStore()
    try store.take(.activePolicyUpdate(Self.policy))
    try store.take(.ipsetUpdate(Self.set))
    try store.take(.ipsetDeltaUpdate(Self.delta))
    var other = Self.policy
    other.policy.inboundRules = []
    try store.take(.activePolicyUpdate(other))
    var copy = PolicyStore()
    for message in store.messages { if let payload = message.payload { try copy.take(payload) } }
    for store in [store, copy] {
      #expect(store.messages.count == 2)
      #expect(store.messages.map(\.activePolicyUpdate).contains(other))
      let members = store.messages.map(\.ipsetUpdate.members).filter { !$0.isEmpty }
      #expect(members == [["10.244.0.7", "10.244.0.8"]])
    }
  }
}
