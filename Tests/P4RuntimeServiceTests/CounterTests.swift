import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Indirect counters, and resources that this target does not have (P4Runtime 1.4, sections
/// 9.1 and 9.3 to 9.9).
@Suite(.timeLimit(.minutes(15))) struct CounterTests {
  @Test func writtenAndRead() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      // Packets, both, bytes: what a counter does not count is not kept.
      let writes = [
        P4_V1_Entity.counter(Balancer.hits, 2, packets: 5, bytes: 6),
        .counter(Balancer.volume, 0, packets: 7, bytes: 8),
        .counter(Balancer.octets, 7, packets: 9, bytes: 10),
      ]
      #expect(await server.write(writes.map(\.modify)).isOK)
      #expect(
        try await server.read(.counter(Balancer.hits, 2), .counter(Balancer.octets, 7)) == [
          .counter(Balancer.hits, 2, packets: 5), .counter(Balancer.octets, 7, bytes: 10),
        ])
      let volume = try await server.read(.counter(Balancer.volume))
      #expect(volume.count == 16 && volume.first == writes[1])
      #expect(volume.dropFirst().allSatisfy { $0.counterEntry.data == .init() })
      #expect(try await server.read(.counter(0)).count == 50 + 16 + 8)
      // Of all counters an index says nothing.
      #expect(try await server.read(.counter(0, 12)).count == 50 + 16 + 8)
      // Without an index all of them, without data nothing.
      #expect(await server.write(P4_V1_Entity.counter(Balancer.volume, packets: 3).modify).isOK)
      #expect(
        try await server.read(.counter(Balancer.volume)).allSatisfy {
          $0.counterEntry.data.packetCount == 3 && $0.counterEntry.data.byteCount == 0
        })
      #expect(
        await server.write(P4_V1_Entity.counter(Balancer.volume, 1, data: false).modify).isOK)
      #expect(
        try await server.read(.counter(Balancer.volume, 1))
          == [.counter(Balancer.volume, 1, packets: 3)])
      withExtendedLifetime(session) {}
    }
  }

  /// A count is what the pipeline's registers hold.
  @Test func ofThePipeline() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      try await server.host.withDataplane { dataplane in
        try dataplane.setRegister("hits_0", 4, to: 11)
        try dataplane.setRegister("volume_0_bytes", 1, to: 1500)
      }
      #expect(
        try await server.read(.counter(Balancer.hits, 4))
          == [.counter(Balancer.hits, 4, packets: 11)])
      #expect(
        try await server.read(.counter(Balancer.volume, 1))
          == [.counter(Balancer.volume, 1, bytes: 1500)])
      #expect(await server.write(P4_V1_Entity.counter(Balancer.hits, 4).modify).isOK)
      #expect(try await server.host.withDataplane { try $0.registers("hits_0")[4] } == 0)
      withExtendedLifetime(session) {}
    }
  }

  @Test func mistakes() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let counter = P4_V1_Entity.counter(Balancer.hits, 2, packets: 5)
      let cases: [(P4_V1_Update, Int32, String)] = [
        (counter.insert, 3, "INSERT"), (counter.delete, 3, "DELETE"),
        (P4_V1_Entity.counter(777, 0).modify, 3, "no such counter"),
        (P4_V1_Entity.counter(0, 0).modify, 3, "the id is not set"),
        (P4_V1_Entity.counter(Balancer.hits, -1).modify, 3, "a negative index"),
        (P4_V1_Entity.counter(Balancer.hits, 50).modify, 11, "an index that is too high"),
        (P4_V1_Entity.counter(Balancer.hits, 1, packets: -1).modify, 3, "a negative count"),
      ]
      for (update, code, what) in cases {
        #expect(await server.code(update) == code, "\(what)")
      }
      // A batch that fails as a whole leaves counters as they were.
      let outcome = await server.write([counter.modify, cases[0].0], .rollbackOnError)
      #expect(outcome.codes == [10, 3])
      #expect(
        try await server.read(.counter(Balancer.hits, 2)) == [.counter(Balancer.hits, 2)])
      withExtendedLifetime(session) {}
    }
  }

  /// P4Info may have what the engine cannot do, or what its spec has nothing for: that is
  /// UNIMPLEMENTED, and what P4Info does not have is a bad argument.
  @Test func whatTheEngineCannotDo() async throws {
    try await TestServer.run { server in
      var config = try Balancer.config()
      let routes = try #require(
        config.p4Info.tables.firstIndex { $0.preamble.id == Balancer.routes })
      config.p4Info.tables[routes].directResourceIds = [501, 502]
      config.p4Info.directCounters = [
        .with {
          $0.preamble.id = 501
          $0.directTableID = Balancer.routes
        },
        .with {
          $0.preamble.id = 508
          $0.directTableID = Balancer.known
        },
      ]
      config.p4Info.directMeters = [
        .with {
          $0.preamble.id = 502
          $0.directTableID = Balancer.routes
        }
      ]
      config.p4Info.meters = [
        .with { $0.preamble.id = 503 },
        .with {
          $0.preamble.id = 507
          $0.spec.type = .singleRateThreeColor
        },
      ]
      config.p4Info.registers = [.with { $0.preamble.id = 504 }]
      config.p4Info.digests = [.with { $0.preamble.id = 505 }]
      config.p4Info.valueSets = [.with { $0.preamble.id = 506 }]
      let session = try await server.start(config)
      func row(
        _ table: UInt32, _ change: (inout P4_V1_TableEntry) -> Void
      ) -> P4_V1_Entity {
        var entry = P4_V1_TableEntry.row(
          table, [1], action: table == Balancer.routes ? .call(Balancer.refuse) : .group(1))
        change(&entry)
        return .table(entry)
      }
      for (table, code) in [(Balancer.routes, Int32(12)), (Balancer.vips, 3)] {
        let counted = row(table) { $0.counterData = .init() }
        let metered = row(table) { $0.meterConfig = .init() }
        for entity in [counted, metered] {
          if table == Balancer.routes { #expect(await server.code(entity.insert) == code) }
          #expect(await server.read([entity]).outcome.codes == [code])
        }
        var direct = P4_V1_Entity()
        direct.directCounterEntry.tableEntry = .row(table, [1])
        #expect(await server.code(direct.modify) == code)
        #expect(await server.code(direct.insert) == 3)
        #expect(await server.code(direct.delete) == 3)
        #expect(await server.read([direct]).outcome.codes == [code])
        direct.directMeterEntry.tableEntry = .row(table, [1])
        #expect(await server.code(direct.modify) == code)
        #expect(await server.read([direct]).outcome.codes == [code])
      }
      // A flow takes the place of another without a word.
      var flows = P4_V1_Entity()
      flows.directCounterEntry.tableEntry = .row(Balancer.known)
      #expect(await server.code(flows.modify) == 12)
      #expect(await server.read([flows]).outcome.codes == [12])
      for (present, absent) in [
        (
          P4_V1_Entity.with { $0.meterEntry.meterID = 503 },
          P4_V1_Entity.with { $0.meterEntry.meterID = 77 }
        ),
        (.with { $0.meterEntry.meterID = 507 }, .with { $0.meterEntry.meterID = 77 }),
        (.with { $0.registerEntry.registerID = 504 }, .with { $0.registerEntry.registerID = 77 }),
        (.with { $0.digestEntry.digestID = 505 }, .with { $0.digestEntry.digestID = 77 }),
        (.with { $0.valueSetEntry.valueSetID = 506 }, .with { $0.valueSetEntry.valueSetID = 77 }),
      ] {
        #expect(await server.code(present.modify) == 12)
        #expect(await server.code(absent.modify) == 3)
        #expect(await server.read([present]).outcome.codes == [12])
        #expect(await server.read([absent]).outcome.codes == [3])
      }
      #expect(await server.code(P4_V1_Entity.with { $0.externEntry = .init() }.insert) == 12)
      #expect(
        await server.code(
          P4_V1_Entity.with { $0.packetReplicationEngineEntry = .init() }.insert) == 12)
      withExtendedLifetime(session) {}
    }
  }
}
