#if DPDK
  import Core
  import Hosting
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Prefixes, masks and priorities on DPDK's engine (P4Runtime 1.4, 9.1).
  @Suite(.serialized, .timeLimit(.minutes(15))) struct MatchTests {
    private func run(
      _ engine: DataplaneMaker = Engine.dpdk,
      _ body: @Sendable @escaping (TestServer, Border) async throws -> Void
    ) async throws {
      let border = try Border()
      try await TestServer.run(engine) { server in
        let session = try await server.start(border.config)
        try await body(server, border)
        withExtendedLifetime(session) {}
      }
    }

    private static func expect(
      _ verdict: Verdict, _ server: TestServer, from source: UInt32 = 1, to destination: UInt32,
      transport: UInt8 = 253, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let found = try await Border.send(
        server, from: source, to: destination, transport: transport)
      #expect(found.verdict == verdict, sourceLocation: sourceLocation)
    }

    @Test func longestPrefix() async throws {
      try await run { server, border in
        let networks = [
          border.network(0x0A00_0000, 8, port: 4), border.network(0x0A01_0000, 16, port: 5),
          border.network(0x0A01_0203, 32, port: 6), border.network(0, 0, port: 7),
        ]
        #expect(await server.write(networks.map { P4_V1_Entity.table($0).insert }).isOK)
        try await Self.expect(.forward(4), server, to: 0x0A02_0000)
        try await Self.expect(.forward(5), server, to: 0x0A01_0204)
        try await Self.expect(.forward(6), server, to: 0x0A01_0203)
        try await Self.expect(.forward(7), server, to: 0x0B00_0000)
        #expect(
          Set(try await server.read(.table(.row(border.networks))).map(\.tableEntry))
            == Set(networks))
        #expect(
          try await server.read(.table(networks[1].key)) == [.table(networks[1])])
        let moved = border.network(0x0A01_0000, 16, port: 8)
        #expect(
          await server.write(
            P4_V1_Entity.table(moved).modify, P4_V1_Entity.table(networks[2]).delete,
            P4_V1_Entity.table(networks[3]).delete
          ).isOK)
        try await Self.expect(.forward(8), server, to: 0x0A01_0203)
        try await Self.expect(.drop(.pipeline), server, to: 0x0B00_0000)
      }
    }

    @Test func prioritiesAndMasks() async throws {
      try await run { server, border in
        #expect(
          await server.write(P4_V1_Entity.table(border.network(0, 0, port: 4)).insert).isOK)
        let rules = [
          border.rule(10, action: border.deny),
          border.rule(20, from: (0x0A00_0000, 0xFF00_0000), action: border.permit),
          // Every second address, which is no prefix.
          border.rule(
            30, transport: 17, from: (0x0A00_0001, 0xFF00_0001), action: border.deny),
          border.rule(
            Int32.max, from: (0x0A00_0003, 0xFFFF_FFFF), to: (9, 0xFF), action: border.permit),
        ]
        #expect(await server.write(rules.map { P4_V1_Entity.table($0).insert }).isOK)
        let (sent, denied) = (Verdict.forward(4), Verdict.drop(.pipeline))
        try await Self.expect(denied, server, from: 0x0B00_0000, to: 9)
        try await Self.expect(sent, server, from: 0x0A00_0002, to: 9, transport: 17)
        try await Self.expect(denied, server, from: 0x0A00_0001, to: 9, transport: 17)
        try await Self.expect(sent, server, from: 0x0A00_0001, to: 9, transport: 6)
        try await Self.expect(sent, server, from: 0x0A00_0003, to: 0x0109, transport: 17)
        try await Self.expect(denied, server, from: 0x0A00_0003, to: 8, transport: 17)
        // Higher priorities first, in canonical form, and one priority by itself.
        #expect(
          try await server.read(.table(.row(border.acl)))
            == rules.reversed().map { .table($0) })
        #expect(
          try await server.read(.table(.row(border.acl).with { $0.priority = 20 }))
            == [.table(rules[1])])
        // The priority is part of the key.
        let other = border.rule(
          40, from: (0x0A00_0000, 0xFF00_0000), action: border.deny)
        #expect(await server.write(P4_V1_Entity.table(other).insert).isOK)
        try await Self.expect(denied, server, from: 0x0A00_0002, to: 9)
        #expect(await server.write(P4_V1_Entity.table(other).delete).isOK)
        try await Self.expect(sent, server, from: 0x0A00_0002, to: 9)
        // What a miss runs.
        #expect(await server.write(rules.map { P4_V1_Entity.table($0).delete }).isOK)
        let miss = P4_V1_TableEntry.defaultEntry(border.acl, .call(border.deny))
        try await Self.expect(sent, server, to: 9)
        #expect(await server.write(P4_V1_Entity.table(miss).modify).isOK)
        try await Self.expect(denied, server, to: 9)
      }
    }

    @Test func mistakes() async throws {
      try await run { server, border in
        let network = border.network(0x0A00_0000, 8, port: 4)
        let rule = border.rule(10, from: (1, 1), action: border.deny)
        #expect(
          await server.write(P4_V1_Entity.table(network).insert, P4_V1_Entity.table(rule).insert)
            .isOK)
        func changed(
          _ entry: P4_V1_TableEntry, _ change: (inout P4_V1_TableEntry) -> Void
        ) -> P4_V1_Update {
          P4_V1_Entity.table(entry.with(change)).insert
        }
        let cases: [(P4_V1_Update, Int32, String)] = [
          (P4_V1_Entity.table(network).insert, 6, "is there"),
          (P4_V1_Entity.table(border.network(0x0A00_0000, 9, port: 4)).modify, 5, "is not there"),
          (
            changed(network) {
              $0.match[0].lpm.value[0] = 0x0B
              $0.match[0].lpm.prefixLen = 7
            }, 3,
            "bits behind the prefix"
          ),
          (changed(network) { $0.match[0].lpm.prefixLen = 0 }, 3, "a prefix of nothing"),
          (changed(network) { $0.match[0].lpm.prefixLen = 33 }, 3, "a prefix that is too long"),
          (changed(network) { $0.priority = 1 }, 3, "a priority where there is none"),
          (changed(rule) { $0.priority = 0 }, 3, "no priority"),
          (changed(rule) { $0.priority = -1 }, 3, "a negative priority"),
          (changed(rule) { $0.match[0].ternary.mask = .init([2]) }, 3, "bits outside of the mask"),
          (changed(rule) { $0.match[0].ternary.mask = .init([0]) }, 3, "a mask of nothing"),
          (changed(rule) { $0.match.append($0.match[0]) }, 3, "a field twice"),
          (changed(rule) { $0.match[0].exact.value = .init([1]) }, 3, "another kind of match"),
        ]
        for (update, code, what) in cases {
          #expect(await server.code(update) == code, "\(what)")
        }
        let left = try await server.read(.allTables())
        #expect(left.count == 2)
      }
    }

    /// What does not fit is named, and nothing of its batch is seen: where the table has as many
    /// entries as its spec says, and where the engine takes fewer and refuses by itself.
    @Test(arguments: [1024, 700]) func fullTables(_ size: Int) async throws {
      try await run(Engine.dpdk(sizes: ["networks": size])) { server, border in
        let all = (0..<size).map { n in
          P4_V1_Entity.table(border.network(UInt32(n + 1) << 12, 20, port: 4)).insert
        }
        #expect(await server.write(all).isOK)
        let more = P4_V1_Entity.table(border.network(0xF000_0000, 8, port: 5)).insert
        #expect(await server.code(more) == 8)
        let batch = [
          P4_V1_Entity.table(border.network(1 << 12, 20, port: 6)).modify, more,
        ]
        #expect(await server.write(batch, .dataplaneAtomic).codes == [10, 8])
        try await Self.expect(.forward(4), server, to: 1 << 12)
        #expect(await server.write(batch).codes == [0, 8])
        try await Self.expect(.forward(6), server, to: 1 << 12)
      }
    }

  }
#endif
