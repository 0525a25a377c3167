#if DPDK
  import Core
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Meters on DPDK's engine, which run on the processor's time (P4Runtime 1.4, 9.4). A rate
  /// of one byte a second gives nothing back while a test goes on.
  @Suite(.serialized, .timeLimit(.minutes(15))) struct MeterTests {
    private func run(
      _ body: @Sendable @escaping (TestServer, Border) async throws -> Void
    ) async throws {
      let border = try Border()
      try await TestServer.run(Engine.dpdk) { server in
        let session = try await server.start(border.config)
        let network = P4_V1_Entity.table(border.network(0, 0, port: 4))
        #expect(await server.write(network.insert).isOK)
        try await body(server, border)
        withExtendedLifetime(session) {}
      }
    }

    private static func config(
      _ burst: Int64, _ peakBurst: Int64? = nil
    ) -> P4_V1_MeterConfig {
      .with {
        $0.cir = 1
        $0.cburst = burst
        $0.pir = 1
        $0.pburst = peakBurst ?? burst
      }
    }

    private static func share(
      _ id: UInt32, _ index: Int64? = nil, _ config: P4_V1_MeterConfig? = nil
    ) -> P4_V1_Entity {
      .with {
        $0.meterEntry.meterID = id
        if let index { $0.meterEntry.index.index = index }
        if let config { $0.meterEntry.config = config }
      }
    }

    /// So many of ten frames of 100 bytes pass.
    private static func expect(
      _ wanted: Int, _ server: TestServer, from source: UInt32 = 1, transport: UInt8,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      var passed = 0
      for _ in 0..<10 {
        let (verdict, _) = try await Border.send(
          server, from: source, to: 9, transport: transport)
        if verdict == .forward(4) { passed += 1 }
      }
      #expect(passed == wanted, sourceLocation: sourceLocation)
    }

    @Test func indirect() async throws {
      try await run { server, border in
        try await Self.expect(10, server, transport: 17)
        let share = Self.share(border.shares, 17, Self.config(350))
        #expect(await server.write(share.modify).isOK)
        #expect(try await server.read(Self.share(border.shares, 17)) == [share])
        #expect(
          try await server.read(Self.share(border.shares, 6)) == [Self.share(border.shares, 6)])
        #expect(try await server.read(Self.share(0)).count == 256)
        try await Self.expect(3, server, transport: 17)
        try await Self.expect(0, server, transport: 17)
        try await Self.expect(10, server, transport: 6)
        // Counts of colors, from the first frame on.
        var asking = Self.share(border.shares, 17)
        asking.meterEntry.counterData = .init()
        func counts() async throws -> [Int64] {
          try await server.read(asking).map(\.meterEntry.counterData).flatMap {
            [$0.green.packetCount, $0.green.byteCount, $0.yellow.packetCount, $0.red.packetCount]
          }
        }
        #expect(try await counts() == [13, 1300, 0, 17])
        // Cleared, with a new configuration.
        var clearing = share
        clearing.meterEntry.counterData = .init()
        #expect(await server.write(clearing.modify).isOK)
        #expect(try await counts() == [0, 0, 0, 0])
        try await Self.expect(3, server, transport: 17)
        #expect(try await counts() == [3, 300, 0, 7])
        // Without a configuration all is green.
        #expect(await server.write(Self.share(border.shares, 17).modify).isOK)
        #expect(
          try await server.read(Self.share(border.shares, 17)) == [Self.share(border.shares, 17)])
        try await Self.expect(10, server, transport: 17)
        #expect(try await counts() == [13, 1300, 0, 7])
        // All of them.
        let all = Self.share(border.shares, nil, Self.config(200))
        #expect(await server.write(all.modify).isOK)
        try await Self.expect(2, server, transport: 17)
        try await Self.expect(2, server, transport: 6)
      }
    }

    /// Yellow passes, and is counted: a peak burst above the committed one.
    @Test func colors() async throws {
      try await run { server, border in
        let share = Self.share(border.shares, 17, Self.config(200, 500))
        #expect(await server.write(share.modify).isOK)
        try await Self.expect(5, server, transport: 17)
        var asking = Self.share(border.shares, 17)
        asking.meterEntry.counterData = .init()
        let counts = try await server.read(asking).map(\.meterEntry.counterData)
        #expect(counts.map(\.green.packetCount) == [2])
        #expect(counts.map(\.yellow.packetCount) == [3])
        #expect(counts.map(\.red.byteCount) == [500])
      }
    }

    @Test func direct() async throws {
      try await run { server, border in
        let entry = P4_V1_TableEntry.row(border.policed, [1], action: .call(border.police))
        let metered = entry.with { $0.meterConfig = Self.config(250) }
        #expect(await server.write(P4_V1_Entity.table(metered).insert).isOK)
        try await Self.expect(2, server, transport: 17)
        try await Self.expect(10, server, from: 2, transport: 17)
        func direct(_ config: P4_V1_MeterConfig?) -> P4_V1_Entity {
          .with {
            $0.directMeterEntry.tableEntry = entry.key
            if let config { $0.directMeterEntry.config = config }
          }
        }
        let set = direct(Self.config(250))
        #expect(try await server.read(direct(nil)) == [set])
        #expect(try await server.read(.with { $0.directMeterEntry = .init() }) == [set])
        #expect(try await server.read(.table(entry.key)) == [.table(entry)])
        let asking = entry.key.with { $0.meterConfig = .init() }
        #expect(try await server.read(.table(asking)) == [.table(metered)])
        #expect(await server.write(direct(Self.config(400)).modify).isOK)
        try await Self.expect(4, server, transport: 17)
        let counting = entry.key.with { $0.meterCounterData = .init() }
        let counts = try await server.read(.table(counting)).map(\.tableEntry.meterCounterData)
        #expect(counts.map(\.green.packetCount) == [6] && counts.map(\.red.packetCount) == [14])
        // A MODIFY of the entry that does not name it takes it away.
        #expect(await server.write(P4_V1_Entity.table(entry).modify).isOK)
        #expect(try await server.read(direct(nil)) == [direct(nil)])
        try await Self.expect(10, server, transport: 17)
        // A new entry begins green, in the place of one that was not.
        #expect(await server.write(P4_V1_Entity.table(metered).modify).isOK)
        #expect(
          await server.write(P4_V1_Entity.table(entry).delete, P4_V1_Entity.table(entry).insert)
            .isOK)
        try await Self.expect(10, server, transport: 17)
      }
    }

    @Test func mistakes() async throws {
      try await run { server, border in
        let entry = P4_V1_TableEntry.row(border.policed, [1], action: .call(border.police))
        let idle = P4_V1_TableEntry.row(border.policed, [2], action: .call(border.noAction))
        #expect(await server.write(P4_V1_Entity.table(entry).insert).isOK)
        let good = Self.share(border.shares, 1, Self.config(100))
        func with(_ change: (inout P4_V1_MeterConfig) -> Void) -> P4_V1_Update {
          var config = Self.config(100)
          change(&config)
          return Self.share(border.shares, 1, config).modify
        }
        var counted = good
        counted.meterEntry.counterData.red.packetCount = 1
        let cases: [(P4_V1_Update, Int32, String)] = [
          (good.insert, 3, "INSERT"), (good.delete, 3, "DELETE"),
          (Self.share(777, 1).modify, 3, "no such meter"),
          (Self.share(0, 1).modify, 3, "the id is not set"),
          (Self.share(border.shares, -1).modify, 3, "a negative index"),
          (Self.share(border.shares, 256).modify, 11, "an index that is too high"),
          (with { $0.cir = -1 }, 3, "a negative rate"),
          (with { $0.cir = 2 }, 3, "a peak rate below the committed one"),
          (with { $0.eburst = 1 }, 3, "an excess burst"),
          (with { $0.cburst = 0 }, 12, "a burst of nothing"),
          (counted.modify, 3, "counts that are not 0"),
          (
            P4_V1_Entity.with { $0.directMeterEntry.tableEntry = idle.key }.modify, 5,
            "no such entry"
          ),
          (
            P4_V1_Entity.with {
              $0.directMeterEntry.tableEntry = border.source(1).key
            }.modify, 3, "a table without meter"
          ),
          (P4_V1_Entity.with { $0.directMeterEntry.tableEntry = entry.key }.insert, 3, "INSERT"),
          (
            P4_V1_Entity.table(idle.with { $0.meterConfig = Self.config(100) }).insert, 3,
            "an action that does not meter"
          ),
          (
            P4_V1_Entity.table(border.source(1).with { $0.meterConfig = .init() }).insert, 3,
            "an entry without meter"
          ),
        ]
        for (update, code, what) in cases {
          #expect(await server.code(update) == code, "\(what)")
        }
        #expect(
          try await server.read(Self.share(border.shares)).allSatisfy { !$0.meterEntry.hasConfig })
        try await Self.expect(10, server, transport: 17)
      }
    }

    /// What meters are configured with outlives the process.
    @Test func restored() async throws {
      let border = try Border()
      let journal = MemoryJournal()
      let share = Self.share(border.shares, 17, Self.config(350))
      let entry = P4_V1_TableEntry.row(border.policed, [1], action: .call(border.police))
        .with { $0.meterConfig = Self.config(250) }
      let network = P4_V1_Entity.table(border.network(0, 0, port: 4))
      try await TestServer.run(Engine.dpdk, journal: journal) { server in
        let session = try await server.start(border.config)
        #expect(
          await server.write(
            network.insert, share.modify, P4_V1_Entity.table(entry).insert
          ).isOK)
        // The same, written as a whole.
        var next = border.config
        next.p4Info.pkgInfo.version = "2"
        #expect(await server.set(.reconcileAndCommit, next).isOK)
        try await Self.expect(3, server, from: 2, transport: 17)
        withExtendedLifetime(session) {}
      }
      try await TestServer.run(Engine.dpdk) { server in
        let config = try #require(await journal.config)
        try await server.controller.restore(config, updates: await journal.updates)
        #expect(try await server.read(Self.share(border.shares, 17)) == [share])
        try await Self.expect(2, server, from: 1, transport: 6)
        try await Self.expect(3, server, from: 2, transport: 17)
      }
    }
  }
#endif
