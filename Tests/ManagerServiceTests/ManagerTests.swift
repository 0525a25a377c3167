import Core
import Foundation
import GRPCCore
import InfraProtos
import Testing

@Suite struct ManagerTests {
  @Test func podsAndServicesReachTheTables() async throws {
    try await Manager.run { manager in
      try await manager.host()
      for n in 2...4 { try await manager.pod(n) }
      let reply = try await manager.client.natTranslationAdd(
        Manager.service("10.96.0.80", to: [("10.244.0.2", 8080), ("10.244.0.3", 8080)]))
      #expect(reply.successful)
      // Gateway, host and three pods; the same and a Service.
      #expect(manager.tables.entries(of: "arp_targets").count == 5)
      #expect(manager.tables.entries(of: "routes").count == 6)
      #expect(manager.tables.entries(of: "endpoints").count == 2)
      #expect(manager.tables.entries(of: "services").count == 1)
    }
  }

  /// Upstream's members have four bits, and its tables one row for an endpoint of several
  /// Services.
  @Test func manyAndSharedEndpoints() async throws {
    try await Manager.run { manager in
      for n in 2...3 { try await manager.pod(n) }
      let many = (1...40).map { (n: Int) in ("10.244.0.\(n % 2 + 2)", UInt32(8000 + n)) }
      for service in ["10.96.0.80", "10.96.0.81"] {
        for proto in ["TCP", "UDP"] {
          _ = try await manager.client.natTranslationAdd(
            Manager.service(service, proto: proto, to: many))
        }
      }
      #expect(manager.tables.entries(of: "endpoints").count == 160)
      #expect(manager.tables.entries(of: "services").count == 4)
    }
  }

  @Test func anotherHostInterfaceTakesThePlaceOfTheOneBefore() async throws {
    try await Manager.run { manager in
      try await manager.host()
      let before = Set(manager.tables.entries())
      try await manager.host(mac: "02:00:00:00:01:99")
      let after = Set(manager.tables.entries())
      #expect(before.count == after.count)
      let new = after.subtracting(before)
      #expect(!new.isEmpty)
      #expect(new.allSatisfy { $0.arguments.contains(0x0200_0000_0199) })
    }
  }

  @Test func whatIsDoneIsCounted() async throws {
    try await Manager.run { manager in
      try await manager.host()
      for n in 2...4 { try await manager.pod(n) }
      let service = Manager.service("10.96.0.80", to: [("10.244.0.2", 8080), ("10.244.0.3", 80)])
      _ = try await manager.client.natTranslationAdd(service)
      var activity = await manager.activity()
      #expect(activity.hasHost && activity.pods == 3 && activity.queue == 0)
      #expect(activity.servicePorts == 1 && activity.endpoints == 2)
      #expect(
        activity.changes == [
          ["host", "ok"]: 1, ["pod", "ok"]: 3, ["service", "ok"]: 1, ["remove_pod", "ok"]: 0,
          ["remove_service", "ok"]: 0, ["remove_unclaimed", "ok"]: 0,
        ])
      #expect(activity.updates == [["ok"]: UInt64(manager.tables.updates)])
      #expect(activity.changeDuration.counts.reduce(0, +) == 5)
      manager.tables.isAway = true
      let code = await Manager.code { try await manager.removePod(2) }
      #expect(code == .unavailable)
      activity = await manager.activity()
      #expect(activity.changes[["remove_pod", "unavailable"]] == 1 && activity.pods == 3)
      #expect(try #require(activity.updates[["unavailable"]]) > 0)
      #expect(activity.reconcileDuration.counts.reduce(0, +) == 6)
    }
  }

  @Test func askingTwiceIsAskingOnce() async throws {
    try await Manager.run { manager in
      try await manager.host()
      try await manager.pod(2)
      let service = Manager.service("10.96.0.80", to: [("10.244.0.2", 8080)])
      _ = try await manager.client.natTranslationAdd(service)
      let (entries, updates) = (manager.tables.entries(), manager.tables.updates)
      try await manager.host()
      try await manager.pod(2)
      _ = try await manager.client.natTranslationAdd(service)
      #expect(manager.tables.updates == updates)
      #expect(manager.tables.entries() == entries)
      for _ in 0..<2 {
        #expect(try await manager.client.natTranslationDelete(service).successful)
        try await manager.removePod(2)
      }
      #expect(manager.tables.entries(of: "services").isEmpty)
      #expect(manager.tables.entries(of: "endpoints").isEmpty)
      #expect(manager.tables.entries(of: "arp_targets").count == 2)
    }
  }

  @Test func endpointsComeAndGo() async throws {
    try await Manager.run { manager in
      for n in 2...5 { try await manager.pod(n) }
      func endpoints(_ numbers: [Int]) -> Infra_NatTranslation {
        Manager.service("10.96.0.80", to: numbers.map { ("10.244.0.\($0)", 8080) })
      }
      _ = try await manager.client.natTranslationAdd(endpoints([2, 3, 4]))
      let before = manager.tables.entries(of: "slots")
      let updates = manager.tables.updates
      _ = try await manager.client.natTranslationAdd(endpoints([2, 3]))
      // Only the slots of the one that left are given away; its row drains.
      let after = manager.tables.entries(of: "slots")
      let rows = Dictionary(uniqueKeysWithValues: after.map { ($0.key, K8sDP.slots(in: $0)) })
      let moved = before.flatMap {
        zip(K8sDP.slots(in: $0), rows[$0.key] ?? []).filter { $0 != $1 }
      }
      #expect(Set(moved.map(\.0.endpoint)).count == 1)
      #expect(moved.count > 0 && moved.count <= before.count * K8sDP.slotsPerRow / 2)
      #expect(manager.tables.updates - updates == before.subtracting(after).count + 1)
      #expect(
        manager.tables.entries(of: "endpoints").filter { $0.action == "endpoint_drain" }.count == 1)
      // None is a Service without endpoints, whose clients are refused.
      _ = try await manager.client.natTranslationAdd(endpoints([]))
      #expect(manager.tables.entries(of: "services").count == 1)
    }
  }

  @Test func lateDeletionsSpareTheNewPod() async throws {
    try await Manager.run { manager in
      try await manager.pod(2, ip: "10.244.0.9/32")
      try await manager.removePod(2, ip: "10.244.0.9/32")
      try await manager.pod(3, ip: "10.244.0.9/32")
      try await manager.removePod(2, ip: "10.244.0.9/32")
      #expect(manager.tables.entries(of: "routes").count == 1)
    }
  }

  /// Whoever comes later is refused, also when both have looked before either was there.
  @Test func oneAddressIsGivenOnce() async throws {
    let folder = try Folder()
    var left: Set<TableEntry> = []
    try await Manager.run(state: folder.path, ports: Meeting(of: 2)) { manager in
      async let second = Manager.code { try await manager.pod(2, ip: "10.244.0.9/32") }
      async let third = Manager.code { try await manager.pod(3, ip: "10.244.0.9/32") }
      let codes = await (second, third)
      #expect([codes.0, codes.1].filter { $0 == nil }.count == 1)
      #expect([codes.0, codes.1].contains(.alreadyExists))
      left = manager.tables.entries()
      let port: UInt64 = codes.0 == nil ? 2 : 3
      #expect(manager.tables.entries(of: "arp_targets").map(\.arguments) == [[port]])
    }
    try await Manager.run(state: folder.path) { #expect($0.tables.entries() == left) }
  }

  /// A pod's end, its successor at the address, and the end once more, in one batch.
  @Test func aRepeatedDeletionSparesTheNewPod() async throws {
    try await Manager.run { manager in
      try await manager.pod(2, ip: "10.244.0.9/32")
      manager.tables.isHeld = true
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await manager.host() }
        try await manager.until { _ in manager.tables.waiting == 1 }
        let requests: [@Sendable () async throws -> Void] = [
          { try await manager.removePod(2, ip: "10.244.0.9/32") },
          { try await manager.pod(3, ip: "10.244.0.9/32") },
          { try await manager.removePod(2, ip: "10.244.0.9/32") },
        ]
        for (index, request) in requests.enumerated() {
          group.addTask { try await request() }
          try await manager.until { $0.queue > index }
        }
        manager.tables.isHeld = false
        try await group.waitForAll()
      }
      let pods = manager.tables.entries(of: "arp_targets").filter { $0.arguments != [1] }
      #expect(pods.map(\.arguments) == [[3]])
    }
  }

  @Test func badRequestsChangeNothing() async throws {
    try await Manager.run { manager in
      try await manager.pod(2)
      let entries = manager.tables.entries()
      let client = manager.client
      func network(
        _ ips: [String], name: String = "P4TAP_3", mac: String = "02:00:00:00:02:03"
      ) async -> RPCError.Code? {
        await Manager.code {
          _ = try await client.createNetwork(
            .with {
              $0.hostIfName = name
              $0.macAddr = mac
              $0.addRequest.containerIps = ips.map { ip in .with { $0.address = ip } }
            })
        }
      }
      #expect(await network([]) == .invalidArgument)
      #expect(await network(["fd00::2/128"]) == .invalidArgument)
      #expect(await network(["10.244.0.3/24"]) == .invalidArgument)
      #expect(await network(["10.244.0.3/32", "10.244.0.4/32"]) == .invalidArgument)
      #expect(await network(["224.0.0.1"]) == .invalidArgument)
      #expect(await network(["10.244.0.3"], name: "") == .invalidArgument)
      #expect(await network(["10.244.0.3"], name: "an-interface-too-long") == .invalidArgument)
      #expect(await network(["10.244.0.3"], mac: "ff:ff:ff:ff:ff:ff") == .invalidArgument)
      #expect(await network(["10.244.0.3"], mac: "nonsense") == .invalidArgument)
      #expect(await network(["10.244.0.3"], name: "eth9") == .notFound)
      // Port 1 is the host's.
      #expect(await network(["10.244.0.3"], name: "P4TAP_1") == .invalidArgument)
      #expect(await network(["10.244.0.2"]) == .alreadyExists)
      for bad in [
        Infra_NatTranslation(), Manager.service("", to: [("10.244.0.2", 80)]),
        Manager.service("10.96.0.80", proto: "SCTP", to: [("10.244.0.2", 80)]),
        Manager.service("10.96.0.80", port: 0, to: [("10.244.0.2", 80)]),
        Manager.service("10.96.0.80", port: 65_536, to: [("10.244.0.2", 80)]),
        Manager.service("10.96.0.80", to: [("10.244.0.2", 0)]),
        Manager.service("10.96.0.80", to: [("fd00::1", 80)]),
        Manager.service("10.96.0.80", to: [("10.244.0.2", 80), ("", 80)]),
      ] {
        #expect(
          await Manager.code { _ = try await client.natTranslationAdd(bad) } == .invalidArgument)
      }
      #expect(
        await Manager.code { _ = try await client.setSnatAddress(.init()) } == .unimplemented)
      #expect(manager.tables.entries() == entries)
    }
  }

  @Test func oneBadRequestAmongManyIsRefusedAlone() async throws {
    try await Manager.run { manager in
      try await manager.host()
      let client = manager.client
      let codes = await withTaskGroup(of: RPCError.Code?.self) { group in
        for n in 0..<200 {
          group.addTask {
            await Manager.code {
              // Every tenth address is no Service's: it is the host's.
              let ip = n % 10 == 0 ? "200.1.1.2" : "10.96.1.\(n)"
              _ = try await client.natTranslationAdd(
                Manager.service(ip, port: UInt32(1000 + n), to: [("10.244.0.2", 80)]))
            }
          }
        }
        var codes: [RPCError.Code?: Int] = [:]
        for await code in group { codes[code, default: 0] += 1 }
        return codes
      }
      #expect(codes[nil] == manager.tables.entries(of: "services").count)
      #expect(codes[nil, default: 0] >= 180)
    }
  }

  @Test func aRefusedWriteIsNotWanted() async throws {
    let folder = try Folder()
    let tables = Tables()
    try await Manager.run(state: folder.path, tables: tables) { manager in
      try await manager.pod(2)
      tables.isAway = true
      #expect(await Manager.code { try await manager.pod(3) } == .unavailable)
      tables.isAway = false
      try await manager.pod(4)
    }
    let entries = tables.entries()
    #expect(entries.count == 4)
    try await Manager.run(state: folder.path) { #expect($0.tables.entries() == entries) }
  }

  /// Flows carry the numbers of endpoints: they must be the same after a restart.
  @Test func theSameRowsAfterARestart() async throws {
    let folder = try Folder()
    var random = SeededGenerator(seed: 5)
    for _ in 0..<4 {
      var left: Set<TableEntry> = []
      try await Manager.run(state: folder.path) { manager in
        try await manager.host()
        for _ in 0..<60 {
          let n = Int.random(in: 2...9, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: try await manager.pod(n)
          case 1: try await manager.removePod(n)
          case 2:
            _ = try await manager.client.natTranslationDelete(
              Manager.service("10.96.0.\(n)", to: []))
          default:
            let endpoints = (2...9).shuffled(using: &random).prefix(n / 2)
            _ = try await manager.client.natTranslationAdd(
              Manager.service("10.96.0.\(n)", to: endpoints.map { ("10.244.0.\($0)", 8080) }))
          }
        }
        left = manager.tables.entries()
      }
      try await Manager.run(state: folder.path) { #expect($0.tables.entries() == left) }
    }
  }

  @Test func damagedStateIsSetAside() async throws {
    let folder = try Folder()
    try await Manager.run(state: folder.path) { try await $0.pod(2) }
    let file = folder.path + "/manager.log"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[50] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    try await Manager.run(state: folder.path) { manager in
      #expect(manager.tables.entries().isEmpty)
      #expect(FileManager.default.fileExists(atPath: file + ".damaged"))
      try await manager.pod(2)
    }
    try await Manager.run(state: folder.path) { #expect($0.tables.entries().count == 2) }
  }
}

/// A folder for one test.
final class Folder {
  let path = NSTemporaryDirectory() + "manager-\(UUID().uuidString)"
  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
