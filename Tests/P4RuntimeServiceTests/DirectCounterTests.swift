#if DPDK
  import Core
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Counters of entries, counted by DPDK's engine (P4Runtime 1.4, 9.1 and 9.3).
  @Suite(.serialized, .timeLimit(.minutes(15))) struct DirectCounterTests {
    private func run(
      _ body: @Sendable @escaping (TestServer, Border) async throws -> Void
    ) async throws {
      let border = try Border()
      try await TestServer.run(Engine.dpdk) { server in
        let session = try await server.start(border.config)
        try await body(server, border)
        withExtendedLifetime(session) {}
      }
    }

    /// An entry as a Read gives it with its counts.
    private static func counted(
      _ entry: P4_V1_TableEntry, _ packets: Int64, _ bytes: Int64
    ) -> P4_V1_Entity {
      .table(
        entry.with {
          $0.counterData.packetCount = packets
          $0.counterData.byteCount = bytes
        })
    }

    @Test func framesCount() async throws {
      try await run { server, border in
        let hosts = [border.host(8), border.host(9, port: 5)]
        #expect(await server.write(hosts.map { P4_V1_Entity.table($0).insert }).isOK)
        for length in [20, 100, 1500] {
          let (verdict, _) = try await Border.send(server, to: 9, length: length)
          #expect(verdict == .forward(5))
        }
        try await Border.send(server, to: 8)
        try await Border.send(server, to: 77, length: 50)
        let direct = [
          P4_V1_Entity.directCounter(hosts[0].key, packets: 1, bytes: 100),
          .directCounter(hosts[1].key, packets: 3, bytes: 1620),
        ]
        let miss = P4_V1_Entity.directCounter(.defaultEntry(border.hosts), packets: 1, bytes: 50)
        // One entry, the entry for misses, a table, all tables.
        #expect(try await server.read(.directCounter(hosts[1].key, data: false)) == [direct[1]])
        #expect(try await server.read(miss) == [miss])
        #expect(try await server.read(.directCounter(.row(border.hosts))) == direct)
        #expect(try await server.read(.directCounter(.init())) == direct)
        // With the entry, when it is asked for.
        let asking = P4_V1_TableEntry.row(border.hosts).with { $0.counterData = .init() }
        #expect(
          try await server.read(.table(asking)) == [
            Self.counted(hosts[0], 1, 100), Self.counted(hosts[1], 3, 1620),
          ])
        #expect(try await server.read(.table(.row(border.hosts))) == hosts.map { .table($0) })
        let all = P4_V1_TableEntry().with { $0.counterData = .init() }
        #expect(try await server.read(.table(all)).count == 2)
        let askingMiss = P4_V1_TableEntry.defaultEntry(border.hosts)
          .with { $0.counterData = .init() }
        #expect(
          try await server.read(.table(askingMiss))
            == [
              Self.counted(.defaultEntry(border.hosts, .call(border.unknownHost)), 1, 50)
            ])
      }
    }

    @Test func written() async throws {
      try await run { server, border in
        let host = border.host(9)
        let initial = host.with {
          $0.counterData.packetCount = 1000
          $0.counterData.byteCount = 5
        }
        #expect(await server.write(P4_V1_Entity.table(initial).insert).isOK)
        try await Border.send(server, to: 9)
        let counter = P4_V1_Entity.directCounter(host.key, data: false)
        func counts() async throws -> [Int64] {
          try await server.read(counter).flatMap {
            [$0.directCounterEntry.data.packetCount, $0.directCounterEntry.data.byteCount]
          }
        }
        #expect(try await counts() == [1001, 105])
        // Without data nothing changes, and a MODIFY of the entry keeps what it does not set.
        #expect(await server.write(counter.modify).isOK)
        let other = border.host(9, port: 6)
        #expect(await server.write(P4_V1_Entity.table(other).modify).isOK)
        #expect(try await counts() == [1001, 105])
        try await Border.send(server, to: 9)
        #expect(try await counts() == [1002, 205])
        let set = P4_V1_Entity.directCounter(host.key, packets: 7, bytes: 8)
        #expect(await server.write(set.modify).isOK)
        #expect(try await counts() == [7, 8])
        // An entry's counter without its action.
        let only = host.key.with { $0.counterData.packetCount = 3 }
        #expect(await server.write(P4_V1_Entity.table(only).modify).isOK)
        #expect(try await counts() == [3, 0])
        #expect(try await server.read(.table(host.key)) == [.table(other)])
        let reset = other.with { $0.counterData = .init() }
        #expect(await server.write(P4_V1_Entity.table(reset).modify).isOK)
        #expect(try await counts() == [0, 0])
      }
    }

    /// The engine gives an entry the id of one that is gone, and with it its registers.
    @Test func newEntriesBeginAtZero() async throws {
      try await run { server, border in
        for round in UInt8(0)..<3 {
          let entries = (1...UInt8(Border.sourcesSize)).map { border.source(round * 8 + $0) }
          #expect(await server.write(entries.map { P4_V1_Entity.table($0).insert }).isOK)
          let all = P4_V1_Entity.directCounter(.row(border.sources))
          #expect(
            try await server.read(all).map(\.directCounterEntry.data.packetCount) == [0, 0, 0, 0])
          for source in 1...UInt32(Border.sourcesSize) {
            for _ in 0..<source {
              try await Border.send(server, from: UInt32(round) * 8 + source, to: 9)
            }
          }
          #expect(
            try await server.read(all).map(\.directCounterEntry.data.packetCount) == [1, 2, 3, 4])
          #expect(await server.write(entries.map { P4_V1_Entity.table($0).delete }).isOK)
          #expect(try await server.read(all).isEmpty)
        }
        // Within one batch, too.
        let entry = P4_V1_Entity.table(border.source(1))
        #expect(await server.write(entry.insert).isOK)
        try await Border.send(server, from: 1, to: 9)
        let counter = P4_V1_Entity.directCounter(border.source(1).key, packets: 9)
        #expect(await server.write(counter.modify, entry.delete, entry.insert).isOK)
        #expect(
          try await server.read(.directCounter(border.source(1).key))
            == [.directCounter(border.source(1).key)])
      }
    }

    /// What is taken back has counted on.
    @Test func batchesThatFailKeepCounts() async throws {
      try await run { server, border in
        let entries = (1...UInt8(Border.sourcesSize)).map { P4_V1_Entity.table(border.source($0)) }
        #expect(await server.write(entries.map(\.insert)).isOK)
        for _ in 0..<5 { try await Border.send(server, from: 2, to: 9) }
        let batch = [
          entries[1].delete, P4_V1_Entity.table(border.source(5)).insert,
          P4_V1_Entity.directCounter(border.source(1).key, packets: 77).modify,
          P4_V1_Entity.table(border.source(6)).insert,
        ]
        let outcome = await server.write(batch, .rollbackOnError)
        #expect(outcome.code == .unknown, "the fifth entry does not fit: \(outcome)")
        let all = P4_V1_Entity.directCounter(.row(border.sources))
        #expect(
          try await server.read(all).map(\.directCounterEntry.data.packetCount) == [0, 5, 0, 0])
        try await Border.send(server, from: 2, to: 9)
        #expect(
          try await server.read(all).map(\.directCounterEntry.data.packetCount) == [0, 6, 0, 0])
      }
    }

    @Test func mistakes() async throws {
      try await run { server, border in
        let host = border.host(9)
        let quiet = P4_V1_TableEntry.row(border.hosts, [7], action: .call(border.quietHost, [4]))
        #expect(
          await server.write(P4_V1_Entity.table(host).insert, P4_V1_Entity.table(quiet).insert)
            .isOK)
        let counter = P4_V1_Entity.directCounter(host.key, packets: 5)
        let network = border.network(0x0A00_0000, 8, port: 4)
        let cases: [(P4_V1_Update, Int32, String)] = [
          (counter.insert, 3, "INSERT"), (counter.delete, 3, "DELETE"),
          (P4_V1_Entity.directCounter(border.host(8).key, packets: 1).modify, 5, "no such entry"),
          (
            P4_V1_Entity.directCounter(host.key, packets: -1).modify, 3, "a negative count"
          ),
          (P4_V1_Entity.directCounter(.row(777, [1])).modify, 3, "no such table"),
          (P4_V1_Entity.directCounter(.init()).modify, 3, "no table"),
          (P4_V1_Entity.directCounter(network.key).modify, 3, "a table without counter"),
          (
            P4_V1_Entity.directCounter(host.key.with { $0.isDefaultAction = true }).modify, 3,
            "the default entry with a match"
          ),
          (
            P4_V1_Entity.table(quiet.with { $0.counterData = .init() }).modify, 3,
            "an action that does not count"
          ),
          (
            P4_V1_Entity.table(network.with { $0.counterData = .init() }).insert, 3,
            "an entry without counter"
          ),
          (
            P4_V1_Entity.table(border.host(6).with { $0.counterData.byteCount = -1 }).insert, 3,
            "a negative count with the entry"
          ),
        ]
        for (update, code, what) in cases {
          #expect(await server.code(update) == code, "\(what)")
        }
        for (query, code) in [
          (P4_V1_Entity.directCounter(border.host(8).key), Int32(5)),
          (.directCounter(network.key), 3), (.directCounter(.row(777)), 3),
          (.directCounter(.init().with { $0.priority = 3 }), 3),
        ] {
          #expect(await server.read([query]).outcome.codes == [code])
        }
        // None of them left anything.
        let found = try await server.read(.directCounter(.row(border.hosts)))
        #expect(found.map(\.directCounterEntry.data) == [.init(), .init()])
      }
    }

    /// A default entry has a counter as others have, which goes with its action.
    @Test func defaults() async throws {
      try await run { server, border in
        let miss = P4_V1_TableEntry.defaultEntry(border.hosts)
        let counter = P4_V1_Entity.directCounter(miss, packets: 5, bytes: 6)
        #expect(await server.write(counter.modify).isOK)
        try await Border.send(server, to: 9)
        #expect(
          try await server.read(.directCounter(miss, data: false))
            == [.directCounter(miss, packets: 6, bytes: 106)])
        let changed = P4_V1_TableEntry.defaultEntry(
          border.hosts, .call(border.toHost, [6], [7])
        ).with { $0.counterData.packetCount = 100 }
        #expect(await server.write(P4_V1_Entity.table(changed).modify).isOK)
        let (verdict, _) = try await Border.send(server, to: 9)
        #expect(verdict == .forward(6))
        #expect(
          try await server.read(.directCounter(miss, data: false))
            == [.directCounter(miss, packets: 101, bytes: 100)])
        // Without an action all is as in the program.
        #expect(await server.write(P4_V1_Entity.table(miss).modify).isOK)
        #expect(
          try await server.read(.directCounter(miss, data: false)) == [.directCounter(miss)])
        let reset = miss.with { $0.counterData.packetCount = 1 }
        #expect(await server.code(P4_V1_Entity.table(reset).modify) == 3)
      }
    }

    /// A pipeline that takes the place of another goes on from its counts; a saved one has
    /// those that were written.
    @Test func otherPipelines() async throws {
      try await run { server, border in
        let hosts = [border.host(8), border.host(9)]
        #expect(await server.write(hosts.map { P4_V1_Entity.table($0).insert }).isOK)
        for _ in 0..<3 { try await Border.send(server, to: 9) }
        try await Border.send(server, to: 77)
        var next = border.config
        next.p4Info.pkgInfo.version = "2"
        #expect(await server.set(.reconcileAndCommit, next).isOK)
        let all = P4_V1_Entity.directCounter(.row(border.hosts))
        #expect(try await server.read(all).map(\.directCounterEntry.data.packetCount) == [0, 3])
        let miss = P4_V1_Entity.directCounter(.defaultEntry(border.hosts))
        #expect(try await server.read(miss).map(\.directCounterEntry.data.packetCount) == [1])

        #expect(await server.set(.verifyAndSave, border.config).isOK)
        let initial = hosts[0].with { $0.counterData.packetCount = 40 }
        #expect(await server.write(P4_V1_Entity.table(initial).insert).isOK)
        #expect(try await server.read(all).map(\.directCounterEntry.data.packetCount) == [40])
        #expect(
          await server.write(P4_V1_Entity.directCounter(hosts[0].key, packets: 50).modify).isOK)
        #expect(await server.set(.commit).isOK)
        try await Border.send(server, to: 8)
        #expect(try await server.read(all).map(\.directCounterEntry.data.packetCount) == [51])
      }
    }
  }
#endif
