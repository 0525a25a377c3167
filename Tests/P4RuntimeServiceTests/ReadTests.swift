import Core
import Foundation
import P4RuntimeProtos
import P4RuntimeTesting
import Synchronization
import Testing

/// What a Read selects, how it comes, and the code of everything else (P4Runtime 1.4,
/// section 11).
@Suite(.timeLimit(.minutes(15))) struct ReadTests {
  private static func route(
    _ key: UInt8, port: UInt8 = 1, metadata: UInt8? = nil, controller: UInt64 = 0
  ) -> P4_V1_Entity {
    var entry = P4_V1_TableEntry.row(
      Balancer.routes, [key], action: .call(Balancer.route, [port], [2]))
    if let metadata { entry.metadata = Data([metadata]) }
    entry.controllerMetadata = controller
    return .table(entry)
  }

  private static let refused = P4_V1_Entity.table(
    .row(Balancer.routes, [9], action: .call(Balancer.refuse)))
  private static let members = (1...3).map {
    P4_V1_Entity.member(Balancer.backends, $0, .call(Balancer.pick, [UInt8($0)]))
  }
  private static let group = P4_V1_Entity.group(
    Balancer.backends, 2, [(1, 1), (2, 3)], maximum: 8)
  private static let vip = P4_V1_Entity.table(.row(Balancer.vips, [5], action: .group(2)))
  private static let hop = P4_V1_Entity.member(Balancer.hops, 7, .call(Balancer.pick, [1]))
  private static let via = P4_V1_Entity.table(.row(Balancer.via, [6], action: .member(7)))

  private func filled(
    _ body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let all =
        [
          Self.route(1), Self.route(2, metadata: 5), Self.route(3, controller: 8), Self.refused,
        ] + Self.members + [Self.group, Self.vip, Self.hop, Self.via]
      let outcome = await server.write(all.map(\.insert))
      #expect(outcome.isOK, "\(outcome)")
      try await body(server)
      withExtendedLifetime(session) {}
    }
  }

  @Test func wildcards() async throws {
    try await filled { (server) async throws in
      let routes = [
        Self.route(1), Self.route(2, metadata: 5), Self.route(3, controller: 8), Self.refused,
      ]
      #expect(try await server.read(.allTables()) == routes + [Self.vip, Self.via])
      #expect(try await server.read(.table(.row(Balancer.routes))) == routes)
      #expect(try await server.read(.table(.row(Balancer.keyless))).isEmpty)
      #expect(try await server.read(.member(0, 0)) == Self.members + [Self.hop])
      #expect(try await server.read(.member(Balancer.backends, 0)) == Self.members)
      #expect(try await server.read(.group(0, 0)) == [Self.group])
      #expect(try await server.read(.group(Balancer.hops, 0)).isEmpty)
      // Everything at once, in the order of the queries.
      #expect(
        try await server.read(.group(0, 0), .member(Balancer.hops, 0), .table(.row(Balancer.via)))
          == [Self.group, Self.hop, Self.via])
      #expect(await server.read([]).outcome.isOK)
    }
  }

  @Test func oneEntity() async throws {
    try await filled { (server) async throws in
      #expect(try await server.read(.table(.row(Balancer.routes, [1]))) == [Self.route(1)])
      // However it is written.
      #expect(
        try await server.read(.table(.row(Balancer.routes, [0, 0, 0, 1]))) == [Self.route(1)])
      #expect(try await server.read(.table(.row(Balancer.vips, [5]))) == [Self.vip])
      #expect(try await server.read(.member(Balancer.backends, 2)) == [Self.members[1]])
      #expect(try await server.read(.group(Balancer.backends, 2)) == [Self.group])
      // What is not there is no error: nothing is selected.
      for query in [
        P4_V1_Entity.table(.row(Balancer.routes, [77])), .member(Balancer.backends, 77),
        .group(Balancer.backends, 77),
      ] {
        let (entities, outcome) = await server.read([query])
        #expect(entities.isEmpty && outcome.isOK)
      }
    }
  }

  @Test func filters() async throws {
    try await filled { (server) async throws in
      var query = P4_V1_TableEntry.row(Balancer.routes)
      query.metadata = Data([5])
      #expect(try await server.read(.table(query)) == [Self.route(2, metadata: 5)])
      query = .row(Balancer.routes)
      query.controllerMetadata = 8
      #expect(try await server.read(.table(query)) == [Self.route(3, controller: 8)])
      query = .row(Balancer.routes, action: .call(Balancer.refuse))
      #expect(try await server.read(.table(query)) == [Self.refused])
      query = .row(Balancer.routes, [1], action: .call(Balancer.refuse))
      #expect(try await server.read(.table(query)).isEmpty)
      query = .row(Balancer.routes)
      query.priority = 3
      #expect(try await server.read(.table(query)).isEmpty)
    }
  }

  /// The default entry is always there, as the program or a controller has it.
  @Test func defaultEntries() async throws {
    try await filled { (server) async throws in
      let query = P4_V1_Entity.table(.defaultEntry(Balancer.keyless))
      let original = P4_V1_Entity.table(
        .defaultEntry(Balancer.keyless, .call(Balancer.noAction)))
      let changed = P4_V1_Entity.table(.defaultEntry(Balancer.keyless, .call(Balancer.refuse)))
      #expect(try await server.read(query) == [original])
      #expect(await server.write(changed.modify).isOK)
      #expect(try await server.read(query) == [changed])
      // Without an action it is the program's again.
      #expect(await server.write(query.modify).isOK)
      #expect(try await server.read(query) == [original])
      #expect(
        try await server.read(.table(.defaultEntry(Balancer.vips)))
          == [.table(.defaultEntry(Balancer.vips, .call(Balancer.noAction)))])
      for mistake in [changed.insert, changed.delete, query.insert, query.delete] {
        #expect(await server.code(mistake) == 3)
      }
      let constant = P4_V1_Entity.table(.defaultEntry(Balancer.vips, .call(Balancer.noAction)))
      #expect(await server.code(constant.modify) == 7)
      var withKey = P4_V1_TableEntry.row(Balancer.routes, [1], action: .call(Balancer.refuse))
      withKey.isDefaultAction = true
      #expect(await server.code(P4_V1_Entity.table(withKey).modify) == 3)
      // An action for entries only.
      #expect(
        await server.code(
          P4_V1_Entity.table(.defaultEntry(Balancer.routes, .call(Balancer.refuse))).modify) == 7)
    }
  }

  /// What the pipeline has learned is read, and cannot be written.
  @Test func learnedEntries() async throws {
    try await filled { (server) async throws in
      let learned = P4_V1_Entity.table(
        .row(Balancer.known, [8], action: .call(Balancer.knownHit, [3])))
      try await server.host.withDataplane { dataplane in
        let store = try #require(dataplane as? StoreDataplane)
        store.learn(
          LearnedEntry(
            table: "known", key: [8], action: "known_hit", arguments: [3],
            timer: 2,
            expiry: store.clock.cycles(at: .seconds(10))))
      }
      #expect(try await server.read(.table(.row(Balancer.known))) == [learned])
      #expect(try await server.read(.table(.row(Balancer.known, [8]))) == [learned])
      #expect(try await server.read(.table(.row(Balancer.known, [9]))).isEmpty)
      #expect(try await server.read(.allTables()).contains(learned))
      for update in [learned.insert, learned.modify, learned.delete] {
        #expect(await server.code(update) == 7)
      }
      server.host.advance(to: .seconds(11))
      #expect(try await server.read(.table(.row(Balancer.known))).isEmpty)
    }
  }

  /// Many entities come in many messages, in order.
  @Test func streaming() async throws {
    try await TestServer.run { server in
      var config = try Balancer.config()
      let spec = Balancer.spec.replacingOccurrences(of: "size 0x10\n", with: "size 0x1000\n")
      config.p4DeviceConfig = try Pipelines.make(spec: spec, info: Balancer.info).p4DeviceConfig
      config.p4Info.tables[0].size = 4096
      let session = try await server.start(config)
      let rows = (1...2000).map { (n: Int) -> P4_V1_Entity in
        let key = n < 256 ? [UInt8(n)] : [UInt8(n >> 8), UInt8(n & 255)]
        return .table(.row(Balancer.routes, key, action: .call(Balancer.refuse)))
      }
      #expect(await server.write(rows.map(\.insert)).isOK)
      let sizes = try await server.client.read(
        .with {
          $0.deviceID = 1
          $0.entities = [.allTables()]
        }
      ) { response in
        var sizes: [Int] = []
        var entities: [P4_V1_Entity] = []
        for try await message in response.messages {
          sizes.append(message.entities.count)
          entities += message.entities
        }
        #expect(entities == rows)
        return sizes
      }
      #expect(sizes.count > 1 && sizes.allSatisfy { $0 > 0 }, "\(sizes)")
      withExtendedLifetime(session) {}
    }
  }

  /// Each query of a batch has its error; what the others select comes before.
  /// A large table is read between many bursts of frames, and comes in its order.
  @Test func learnedEntriesInParts() async throws {
    let spec = Balancer.spec.replacing(
      "default_action known_miss args none\n  size 0x40",
      with: "default_action known_miss args none\n  size 0x4000")
    try await TestServer.run { server in
      let session = try await server.start(try Pipelines.make(spec: spec, info: Balancer.info))
      let keys = (0..<100).map { UInt64($0) }
      try await server.host.withDataplane { dataplane in
        let store = try #require(dataplane as? StoreDataplane)
        for key in keys.reversed() {
          store.learn(
            LearnedEntry(
              table: "known", key: [key], action: "known_hit", arguments: [3], timer: 2,
              expiry: store.clock.cycles(at: .seconds(10))))
        }
      }
      let all = try await server.read(.table(.row(Balancer.known)))
      #expect(
        all
          == keys.map {
            .table(.row(Balancer.known, [UInt8($0)], action: .call(Balancer.knownHit, [3])))
          })
      // 16,384 buckets of four.
      let parts = try await server.host.withDataplane { ($0 as? StoreDataplane)?.partsRead }
      #expect(parts == 8)
      withExtendedLifetime(session) {}
    }
  }

  @Test func mistakes() async throws {
    try await filled { (server) async throws in
      var allWithKey = P4_V1_TableEntry.row(0, [1])
      allWithKey.tableID = 0
      var badFilter = P4_V1_TableEntry.row(Balancer.vips, action: .call(Balancer.pick))
      badFilter.tableID = Balancer.vips
      var idle = P4_V1_TableEntry.row(Balancer.routes)
      idle.timeSinceLastHit = .init()
      var counted = P4_V1_TableEntry.row(Balancer.routes)
      counted.counterData = .init()
      let cases: [(P4_V1_Entity, Int32, String)] = [
        (P4_V1_Entity(), 3, "no entity"),
        (.table(.row(77)), 3, "no such table"),
        (.table(allWithKey), 3, "a key of all tables"),
        (.table(.defaultEntry(0)), 3, "the default entries of all tables"),
        (.table(.row(Balancer.routes, [1], [2])), 3, "a field too many"),
        (.table(.row(Balancer.routes, [1, 0, 0, 0, 0])), 11, "a key that is too wide"),
        (.table(.row(Balancer.routes, action: .call(999))), 3, "no such action"),
        (.table(badFilter), 12, "a filter by action of an indirect table"),
        (.table(idle), 3, "no idle timeout"), (.table(counted), 3, "no direct counter"),
        (.member(777, 0), 3, "no such profile"), (.group(777, 0), 3, "no such profile"),
        (.counter(777), 3, "no such counter"), (.counter(Balancer.hits, -1), 3, "before it"),
        (.counter(Balancer.hits, 50), 11, "behind it"),
        (.with { $0.meterEntry.meterID = 5 }, 3, "no such meter"),
        (.with { $0.registerEntry.registerID = 5 }, 3, "no such register"),
        (.with { $0.digestEntry.digestID = 5 }, 3, "no such digest"),
        (.with { $0.valueSetEntry.valueSetID = 5 }, 3, "no such value set"),
      ]
      let seen = Mutex<[P4_V1_Entity]>([])
      for (query, code, what) in cases {
        seen.withLock { $0 = [] }
        do {
          try await server.client.read(
            .with {
              $0.deviceID = 1
              $0.entities = [.member(Balancer.hops, 0), query, .group(0, 0)]
            }
          ) { response in
            for try await message in response.messages {
              seen.withLock { $0 += message.entities }
            }
          }
          Issue.record("\(what) is taken")
        } catch {
          let outcome = Outcome(error)
          #expect(outcome.code == .unknown && outcome.codes == [0, code, 0], "\(what): \(outcome)")
        }
        #expect(seen.withLock { $0 } == [Self.hop, Self.group], "\(what)")
      }
      #expect(await server.read([.allTables()], device: 2).outcome.code == .notFound)
      // What is not served and not in P4Info selects nothing.
      for query in [
        P4_V1_Entity.with { $0.meterEntry = .init() }, .with { $0.registerEntry = .init() },
        .with { $0.externEntry = .init() }, .with { $0.packetReplicationEngineEntry = .init() },
        .with { $0.directCounterEntry = .init() },
      ] {
        let (entities, outcome) = await server.read([query])
        #expect(entities.isEmpty && outcome.isOK)
      }
    }
  }

  /// Roles have full access, so that of a Read leaves nothing out; it needs no stream.
  @Test func rolesSeeEverything() async throws {
    try await filled { (server) async throws in
      let all = try await server.readAll()
      let queries: [P4_V1_Entity] = [.member(0, 0), .group(0, 0), .allTables()]
      #expect(await server.read(queries, role: "other").entities == all)
      #expect(all.count == 11)
    }
  }
}
