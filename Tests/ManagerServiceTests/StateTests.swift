import Core
import Foundation
import InfraProtos
import ManagerService
import Testing

/// A manager that finds nothing on disk, or cannot write there.
@Suite struct StateTests {
  private static let web = Manager.service(
    "10.96.0.80", to: [("10.244.0.2", 8080), ("10.244.0.3", 8080), ("10.9.9.9", 80)])
  private static let dns = Manager.service(
    "10.96.0.10", proto: "UDP", port: 53,
    to: [
      ("10.244.0.4", 53), ("10.244.0.3", 53),
    ])

  /// A node that a manager has programmed, which is gone with its state.
  private func node() async throws -> Tables {
    let tables = Tables()
    try await Manager.run(tables: tables) { manager in
      try await manager.host()
      for n in 2...4 { try await manager.pod(n) }
      for service in [Self.web, Self.dns] {
        _ = try await manager.client.natTranslationAdd(service)
      }
    }
    return tables
  }

  /// The rows that connections under way depend on.
  private func rows(_ tables: Tables) -> Set<TableEntry> {
    Set(["arp_targets", "routes", "endpoints", "services"].flatMap { tables.entries(of: $0) })
  }

  @Test func whatThePipelineHasGoesOn() async throws {
    let folder = try Folder()
    let tables = try await node()
    let before = rows(tables)
    let epochs = Set(tables.entries(of: "slots").flatMap { K8sDP.slots(in: $0) }.map(\.epoch))
    try await Manager.run(state: folder.path, tables: tables) { manager in
      #expect(rows(tables) == before)
      // The agent tells in any order.
      _ = try await manager.client.natTranslationAdd(Self.dns)
      #expect(rows(tables) == before)
      let activity = await manager.activity()
      #expect(activity.hasHost && activity.pods == 3)
      #expect(activity.servicePorts == 2 && activity.endpoints == 5)
      for n in [4, 2, 3] { try await manager.pod(n) }
      try await manager.host()
      _ = try await manager.client.natTranslationAdd(Self.web)
      #expect(rows(tables) == before)
      // UDP flows may be pinned from slots that had other owners: they choose anew.
      let after = Set(tables.entries(of: "slots").flatMap { K8sDP.slots(in: $0) }.map(\.epoch))
      #expect(after.isDisjoint(with: epochs))
    }
    // It is on disk again.
    let entries = tables.entries()
    try await Manager.run(state: folder.path) { #expect($0.tables.entries() == entries) }
  }

  @Test func noNumberOfAFlowIsGivenAgain() async throws {
    let tables = try await node()
    // Of an endpoint whose row is gone, and of a UDP flow.
    tables.learned = [
      TableEntry(
        table: "flows", key: [1, 1, 0x0A60_0050, 80, 6, 0], action: "flow_hit",
        arguments: [900, 1, 1, 6, 1]),
      TableEntry(
        table: "flows", key: [1, 1, 0x0A60_000A, 53, 0x80 | 5, 0], action: "flow_hit",
        arguments: [1, 1, 1, 17, 1]),
      TableEntry(
        table: "fragments", key: [1, 2, 3, 17], action: "fragment_hit", arguments: [901, 1, 1]),
    ]
    let before = Set(tables.entries(of: "endpoints").flatMap(\.key))
    try await Manager.run(tables: tables) { manager in
      _ = try await manager.client.natTranslationAdd(
        Manager.service("10.96.0.81", to: [("10.244.0.2", 8080), ("10.244.0.3", 8080)]))
      let new = Set(tables.entries(of: "endpoints").flatMap(\.key)).subtracting(before)
      #expect(new == [902, 903])
      let owners = Set(
        tables.entries(of: "endpoints").filter { $0.arguments[1] == 53 }.flatMap(\.key))
      let slots = tables.entries(of: "slots").flatMap { K8sDP.slots(in: $0) }
        .filter { owners.contains(UInt64($0.endpoint)) }
      #expect(!slots.isEmpty && slots.allSatisfy { $0.epoch == 6 })
    }
  }

  /// An endpoint that leaves before the agent has told of its pod has connections all the same.
  @Test func endpointsThatLeaveDrain() async throws {
    let tables = try await node()
    try await Manager.run(tables: tables) { manager in
      _ = try await manager.client.natTranslationAdd(
        Manager.service("10.96.0.80", to: [("10.244.0.2", 8080)]))
      for n in 2...4 { try await manager.pod(n) }
      let draining = tables.entries(of: "endpoints").filter { $0.action == "endpoint_drain" }
      #expect(draining.map { $0.arguments[0] } == [0x0AF4_0003])
      try await manager.removePod(3)
      #expect(!tables.entries(of: "endpoints").contains { $0.action == "endpoint_drain" })
    }
  }

  @Test func whatNobodyAsksForGoes() async throws {
    let folder = try Folder()
    let tables = try await node()
    // Not yet with this one, and a restart does not forget what is unclaimed.
    try await Manager.run(state: folder.path, tables: tables) { try await $0.pod(2) }
    var pauses = InfraManager.Pauses()
    pauses.unclaimed = .zero
    try await Manager.run(state: folder.path, tables: tables, pauses: pauses) { manager in
      #expect(await manager.activity().pods == 3)
      _ = try await manager.client.natTranslationAdd(Self.web)
      try await manager.until { $0.changes[["remove_unclaimed", "ok"]] == 1 }
      let activity = await manager.activity()
      #expect(activity.pods == 1 && activity.servicePorts == 1 && activity.hasHost)
      #expect(tables.entries(of: "services").count == 1)
      // Host, gateway and the pod.
      #expect(tables.entries(of: "arp_targets").count == 3)
    }
  }

  /// Rows that cannot be on this node are in nobody's way.
  @Test func aPipelineThatCannotBeIsClearedAway() async throws {
    let tables = Tables()
    let address = IPv4Address(0xE000_0001)
    tables.become([
      K8sDP.endpoint(7, address: address, port: 1, .host),
      K8sDP.arpTarget(address, egress: 3),
      K8sDP.route(
        address, K8sDP.Hop(egress: 3, dstMAC: MACAddress(1), srcMAC: MACAddress(2))),
    ])
    try await Manager.run(tables: tables) { manager in
      try await manager.pod(3)
      #expect(tables.entries(of: "routes").map(\.key) == [[0x0AF4_0003]])
      #expect(tables.entries(of: "endpoints").isEmpty)
      _ = try await manager.client.natTranslationAdd(Self.web)
      #expect(Set(tables.entries(of: "endpoints").flatMap(\.key)) == [8, 9, 10])
    }
  }

  /// While infrap4d is away nobody knows what is there, and nothing is decided.
  @Test func anAbsentPipelineIsWaitedFor() async throws {
    let tables = try await node()
    let before = rows(tables)
    tables.isAway = true
    try await Manager.run(tables: tables) { manager in
      #expect(await Manager.code { try await manager.pod(2) } == .unavailable)
      tables.isAway = false
      try await manager.pod(2)
      #expect(rows(tables) == before)
    }
  }

  @Test func aDiskThatTakesNothingIsSeen() async throws {
    let folder = try Folder()
    let file = folder.path + "/manager.log"
    let tables = Tables()
    var pauses = InfraManager.Pauses()
    pauses.disk = .milliseconds(2)
    try await Manager.run(state: folder.path, tables: tables, pauses: pauses) { manager in
      #expect(await manager.activity().isKept)
      try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
      try await manager.host()
      for n in 2...4 { try await manager.pod(n) }
      try await manager.removePod(2)
      _ = try await manager.client.updateRoute(.with { $0.dst = "10.244.1.0/24" })
      #expect(await !manager.activity().isKept)
      try FileManager.default.removeItem(atPath: file)
      // Nobody needs to ask.
      try await manager.until { $0.isKept }
      tables.isAway = true
      #expect(await Manager.code { try await manager.pod(5) } == .unavailable)
      tables.isAway = false
    }
    let entries = tables.entries()
    #expect(entries.count == 8)
    try await Manager.run(state: folder.path) { manager in
      #expect(manager.tables.entries() == entries)
      #expect(await manager.activity().policies[["route"]] == 1)
    }
  }
}
