#if DPDK
  import Core
  import Foundation
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Entries that no frame hits, on DPDK's engine (P4Runtime 1.4, 9.1 and 16.4). Frames and the
  /// service have the time that a test gives them.
  @Suite(.serialized, .timeLimit(.minutes(15))) struct IdleTimeoutTests {
    private func run(
      _ body: @Sendable @escaping (TestServer, Border, Session) async throws -> Void
    ) async throws {
      let border = try Border()
      try await TestServer.run(Engine.dpdk) { server in
        try await body(server, border, try await server.start(border.config))
      }
    }

    private static func second(_ seconds: Double) -> Timestamp { .seconds(seconds) }

    private static func told(_ session: Session) async throws -> [P4_V1_TableEntry] {
      guard case .idleTimeoutNotification(let notification)? = try await session.next()?.update
      else { throw Session.SessionError.unexpected }
      #expect(notification.timestamp > 0)
      return notification.tableEntry
    }

    private static func elapsed(
      _ server: TestServer, _ entry: P4_V1_TableEntry
    ) async throws -> Int64? {
      let asking = entry.key.with { $0.timeSinceLastHit = .init() }
      return try await server.read(.table(asking)).first?.tableEntry.timeSinceLastHit.elapsedNs
    }

    private static func seconds(_ n: Int64) -> Int64 { n * 1_000_000_000 }

    @Test func toldOnceAPeriodAndArmedByTraffic() async throws {
      try await run { server, border, session in
        let host = border.host(9).with {
          $0.idleTimeoutNs = Self.seconds(10)
          $0.metadata = Data([5])
          $0.controllerMetadata = 6
        }
        server.host.advance(to: Self.second(100))
        #expect(await server.write(P4_V1_Entity.table(host).insert).isOK)
        // What is read is what was written; the times when asked for.
        #expect(try await server.read(.table(host.key)) == [.table(host)])
        #expect(try await Self.elapsed(server, host) == 0)
        server.host.advance(to: Self.second(104))
        #expect(try await Self.elapsed(server, host) == Self.seconds(4))
        try await Border.send(server, to: 9)
        #expect(try await Self.elapsed(server, host) == 0)
        // At 110 it has been hit 6 seconds ago.
        for time in [110.0, 113.9, 114] { server.host.advance(to: Self.second(time)) }
        #expect(try await Self.told(session) == [host])
        // It stays, and is told of again when it is idle for as long again.
        #expect(try await Self.elapsed(server, host) == Self.seconds(10))
        server.host.advance(to: Self.second(124))
        #expect(try await Self.told(session) == [host])
        #expect(try await server.read(.table(host.key)) == [.table(host)])
        // A frame puts it off; nothing else was told before this.
        server.host.advance(to: Self.second(130))
        try await Border.send(server, to: 9)
        server.host.advance(to: Self.second(134))
        let other = border.host(8).with { $0.idleTimeoutNs = Self.seconds(1) }
        #expect(await server.write(P4_V1_Entity.table(other).insert).isOK)
        server.host.advance(to: Self.second(135))
        #expect(try await Self.told(session) == [other])
      }
    }

    @Test func changedAndDeleted() async throws {
      try await run { server, border, session in
        let host = border.host(9)
        func write(_ timeout: Int64, _ type: P4_V1_Update.TypeEnum) async {
          let entry = host.with { $0.idleTimeoutNs = Self.seconds(timeout) }
          let outcome = await server.write(P4_V1_Entity.table(entry).update(type))
          #expect(outcome.isOK, "\(outcome)")
        }
        await write(0, .insert)
        server.host.advance(to: Self.second(50))
        await write(10, .modify)
        // Without an action only the timeout changes, and 0 leaves it.
        let only = host.key.with { $0.idleTimeoutNs = Self.seconds(20) }
        #expect(await server.write(P4_V1_Entity.table(only).modify).isOK)
        #expect(await server.write(P4_V1_Entity.table(host.key).modify).isOK)
        server.host.advance(to: Self.second(70))
        var told = try await Self.told(session)
        #expect(told == [host.with { $0.idleTimeoutNs = Self.seconds(20) }])
        await write(3, .modify)
        server.host.advance(to: Self.second(73))
        told = try await Self.told(session)
        #expect(told.map(\.idleTimeoutNs) == [Self.seconds(3)])
        // An entry of the same key is another one.
        #expect(await server.write(P4_V1_Entity.table(host).delete).isOK)
        server.host.advance(to: Self.second(100))
        await write(5, .insert)
        #expect(try await Self.elapsed(server, host) == 0)
        server.host.advance(to: Self.second(105))
        told = try await Self.told(session)
        #expect(told.map(\.idleTimeoutNs) == [Self.seconds(5)])
        await write(0, .modify)
        let other = border.host(8).with { $0.idleTimeoutNs = Self.seconds(50) }
        #expect(await server.write(P4_V1_Entity.table(other).insert).isOK)
        server.host.advance(to: Self.second(155))
        told = try await Self.told(session)
        #expect(told == [other])
      }
    }

    /// Entries that are idle together come together, and a table of prefixes, which the engine
    /// makes anew with each change, remembers.
    @Test func prefixes() async throws {
      try await run { server, border, session in
        func network(_ n: UInt32, _ timeout: Int64) -> P4_V1_TableEntry {
          border.network(n << 24, 8, port: 4).with { $0.idleTimeoutNs = Self.seconds(timeout) }
        }
        let entries = (1...3).map { network($0, 10) }
        #expect(await server.write(entries.map { P4_V1_Entity.table($0).insert }).isOK)
        server.host.advance(to: Self.second(6))
        try await Border.send(server, to: 0x0200_0001)
        // A longer prefix comes before the others, so that they move.
        let longer = border.network(0x0200_0000, 16, port: 5)
        #expect(await server.write(P4_V1_Entity.table(longer).insert).isOK)
        server.host.advance(to: Self.second(8))
        #expect(try await Self.elapsed(server, entries[1]) == Self.seconds(2))
        #expect(try await Self.elapsed(server, entries[0]) == Self.seconds(8))
        #expect(try await Self.elapsed(server, longer) == Self.seconds(2))
        server.host.advance(to: Self.second(10))
        let first = try await Self.told(session)
        #expect(Set(first.map(\.match)) == Set([entries[0], entries[2]].map(\.match)))
        #expect(await server.write(P4_V1_Entity.table(longer).delete).isOK)
        server.host.advance(to: Self.second(16))
        #expect(try await Self.told(session) == [entries[1]])
      }
    }

    /// More than one message takes, and every role's primary gets them.
    @Test func manyAndEveryPrimary() async throws {
      try await run { server, border, session in
        let other = Session(server.client)
        other.arbitrate((0, 7), role: "other")
        _ = try await other.news()
        let backup = Session(server.client)
        backup.arbitrate(nil)
        _ = try await backup.news()
        let entries = (0..<600).map { n in
          border.network(UInt32(n + 1) << 12, 20, port: 4)
            .with { $0.idleTimeoutNs = Self.seconds(1) }
        }
        #expect(await server.write(entries.map { P4_V1_Entity.table($0).insert }).isOK)
        server.host.advance(to: Self.second(1))
        for stream in [session, other] {
          var keys: Set<[P4_V1_FieldMatch]> = []
          while keys.count < entries.count {
            keys.formUnion(try await Self.told(stream).map(\.match))
          }
          #expect(keys == Set(entries.map(\.match)))
        }
        // A backup is told nothing of it: the next thing that it hears is an answer.
        backup.send(.with { $0.packet = .init() })
        _ = try await backup.error()
      }
    }

    @Test func mistakes() async throws {
      try await run { server, border, _ in
        let host = border.host(9)
        let source = border.source(1)
        let cases: [(P4_V1_Update, Int32, String)] = [
          (P4_V1_Entity.table(host.with { $0.idleTimeoutNs = -1 }).insert, 3, "negative"),
          (
            P4_V1_Entity.table(host.with { $0.timeSinceLastHit = .init() }).insert, 3,
            "a time in a Write"
          ),
          (
            P4_V1_Entity.table(source.with { $0.idleTimeoutNs = 1 }).insert, 3,
            "a table without timeouts"
          ),
          (
            P4_V1_Entity.table(
              .defaultEntry(border.hosts, .call(border.unknownHost)).with { $0.idleTimeoutNs = 1 }
            ).modify, 3, "a default entry"
          ),
        ]
        for (update, code, what) in cases {
          #expect(await server.code(update) == code, "\(what)")
        }
        for query in [
          source.key.with { $0.timeSinceLastHit = .init() },
          source.key.with { $0.idleTimeoutNs = 1 },
          .defaultEntry(border.hosts).with { $0.timeSinceLastHit = .init() },
        ] {
          #expect(await server.read([.table(query)]).outcome.codes == [3])
        }
        let left = try await server.read(.allTables())
        #expect(left.isEmpty)
        // All tables are asked for what they have.
        #expect(
          await server.write(P4_V1_Entity.table(host).insert, P4_V1_Entity.table(source).insert)
            .isOK)
        let all = P4_V1_TableEntry().with { $0.timeSinceLastHit = .init() }
        #expect(
          Set(try await server.read(.table(all)).map(\.tableEntry.hasTimeSinceLastHit))
            == [true, false])
      }
    }

    /// Timeouts outlive the process, and what was idle begins anew.
    @Test func restored() async throws {
      let border = try Border()
      let journal = MemoryJournal()
      let host = border.host(9).with { $0.idleTimeoutNs = Self.seconds(10) }
      try await TestServer.run(Engine.dpdk, journal: journal) { server in
        let session = try await server.start(border.config)
        #expect(await server.write(P4_V1_Entity.table(host).insert).isOK)
        withExtendedLifetime(session) {}
      }
      try await TestServer.run(Engine.dpdk) { server in
        server.host.advance(to: Self.second(1000))
        let config = try #require(await journal.config)
        try await server.controller.restore(config, updates: await journal.updates)
        let session = Session(server.client)
        session.arbitrate((0, 1))
        _ = try await session.news()
        #expect(try await server.read(.table(host.key)) == [.table(host)])
        server.host.advance(to: Self.second(1009))
        #expect(try await Self.elapsed(server, host) == Self.seconds(9))
        server.host.advance(to: Self.second(1010))
        #expect(try await Self.told(session) == [host])
      }
    }
  }
#endif
