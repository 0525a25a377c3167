#if DPDK
  import Core
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// What a controller has written is what DPDK's engine does to frames.
  @Suite(.serialized, .timeLimit(.minutes(15))) struct EngineTests {
    /// Where a frame goes that came in at port 3, 100 bytes of IPv4 long.
    private static func send(
      _ server: TestServer, from source: UInt32 = 1, to destination: UInt32
    ) async throws -> Verdict {
      try await server.host.withDataplane { dataplane in
        var frame = PacketBuilder(from: MACAddress(1), to: MACAddress(2)).ipv4(
          .init(from: IPv4Address(source), to: IPv4Address(destination)), transport: 253,
          payload: [UInt8](repeating: 0, count: 80))
        return dataplane.process(&frame, port: 3, at: .seconds(1))
      }
    }

    private static func member(_ id: UInt32, port: UInt8) -> P4_V1_Entity {
      .member(Balancer.backends, id, .call(Balancer.pick, [port]))
    }

    private static func vip(_ key: UInt8, _ action: P4_V1_TableAction?) -> P4_V1_Entity {
      .table(.row(Balancer.vips, [key], action: action))
    }

    private static func route(_ key: UInt8, port: UInt8) -> P4_V1_Entity {
      .table(.row(Balancer.routes, [key], action: .call(Balancer.route, [port], [7])))
    }

    private func run(
      _ body: @Sendable @escaping (TestServer) async throws -> Void
    ) async throws {
      try await TestServer.run(Engine.dpdk) { server in
        let session = try await server.start(try Balancer.config())
        try await body(server)
        withExtendedLifetime(session) {}
      }
    }

    /// How many of 400 sources go to each port.
    private static func shares(
      _ server: TestServer, to destination: UInt32
    ) async throws -> [PortID: Int] {
      var shares: [PortID: Int] = [:]
      for source in UInt32(1)...400 {
        guard case .forward(let port) = try await send(server, from: source, to: destination)
        else { continue }
        shares[port, default: 0] += 1
      }
      return shares
    }

    private static func expect(
      _ wanted: [PortID: Int], _ server: TestServer, to destination: UInt32,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let found = try await shares(server, to: destination)
      #expect(found == wanted, sourceLocation: sourceLocation)
    }

    private static func expect(
      port: PortID, _ server: TestServer, to destination: UInt32,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let found = try await send(server, to: destination)
      #expect(found == .forward(port), sourceLocation: sourceLocation)
    }

    @Test func entries() async throws {
      try await run { server in
        try await Self.expect(port: 1, server, to: 9)
        #expect(await server.write(Self.route(9, port: 4).insert).isOK)
        try await Self.expect(port: 4, server, to: 9)
        // A batch that fails as a whole is not seen, one that goes on is seen in part.
        let batch = [Self.route(9, port: 5).modify, Self.route(9, port: 6).insert]
        for (atomicity, port) in [
          (P4_V1_WriteRequest.Atomicity.rollbackOnError, PortID(4)), (.dataplaneAtomic, 4),
          (.continueOnError, 5),
        ] {
          #expect(await server.write(batch, atomicity).code == .unknown)
          try await Self.expect(port: port, server, to: 9)
        }
        #expect(await server.write(Self.route(9, port: 0).delete).isOK)
        try await Self.expect(port: 1, server, to: 9)
        // The default of a table without a key.
        let miss = P4_V1_Entity.table(.defaultEntry(Balancer.keyless, .call(Balancer.refuse)))
        let outcome = await server.write(miss.modify)
        #expect(outcome.isOK, "\(outcome)")
        try await Self.expect(port: 2, server, to: 9)
      }
    }

    @Test func membersAndGroups() async throws {
      try await run { server in
        #expect(
          await server.write(
            Self.member(1, port: 4).insert, Self.member(2, port: 5).insert,
            P4_V1_Entity.group(Balancer.backends, 7, [(1, 1), (2, 3)], maximum: 8).insert,
            Self.vip(9, .group(7)).insert, Self.vip(10, .member(2)).insert
          ).isOK)
        try await Self.expect([5: 400], server, to: 10)
        let shares = try await Self.shares(server, to: 9)
        #expect(Set(shares.keys) == [4, 5])
        // One to three, of 400.
        #expect((200...370).contains(shares[5] ?? 0), "\(shares)")
        #expect(
          await server.write(
            P4_V1_Entity.group(Balancer.backends, 7, [(1, 1)], maximum: 8).modify,
            Self.member(1, port: 6).modify
          ).isOK)
        try await Self.expect([6: 400], server, to: 9)
        #expect(await server.write(Self.vip(9, .member(2)).modify).isOK)
        try await Self.expect([5: 400], server, to: 9)
      }
    }

    @Test func oneShotSets() async throws {
      try await run { server in
        let actions: [(P4_V1_Action, Int32)] = [
          (.call(Balancer.pick, [4]), 1), (.call(Balancer.pick, [5]), 1),
          (.call(Balancer.route, [6], [7]), 2),
        ]
        #expect(await server.write(Self.vip(9, .oneShot(actions)).insert).isOK)
        let all = try await Self.shares(server, to: 9)
        #expect(all.keys.sorted() == [4, 5, 6])
        #expect(await server.write(Self.vip(9, .oneShot([actions[1]])).modify).isOK)
        try await Self.expect([5: 400], server, to: 9)
        #expect(await server.write(Self.vip(9, nil).delete).isOK)
        try await Self.expect([1: 400], server, to: 9)
      }
    }

    /// Frames count, and go on from what a controller has written.
    @Test func counters() async throws {
      try await run { server in
        #expect(
          await server.write(P4_V1_Entity.counter(Balancer.hits, 3, packets: 1000).modify).isOK)
        for _ in 0..<5 { _ = try await Self.send(server, to: 9) }
        #expect(
          try await server.read(
            .counter(Balancer.hits, 3), .counter(Balancer.volume, 3), .counter(Balancer.octets, 3)
          ) == [
            .counter(Balancer.hits, 3, packets: 1005),
            .counter(Balancer.volume, 3, packets: 5, bytes: 500),
            .counter(Balancer.octets, 3, bytes: 500),
          ])
        #expect(try await server.read(.counter(Balancer.hits, 2)) == [.counter(Balancer.hits, 2)])
        // Another pipeline with the same registers goes on from there.
        var config = try Balancer.config()
        config.p4Info.pkgInfo.version = "2"
        #expect(await server.set(.reconcileAndCommit, config).isOK)
        #expect(
          try await server.read(.counter(Balancer.hits, 3))
            == [.counter(Balancer.hits, 3, packets: 1005)])
      }
    }

    /// An entry that the pipeline has learned from a frame.
    @Test func learned() async throws {
      try await run { server in
        _ = try await Self.send(server, from: 77, to: 9)
        server.host.advance(to: .seconds(2))
        let learned = P4_V1_Entity.table(
          .row(Balancer.known, [77], action: .call(Balancer.knownHit, [3])))
        #expect(try await server.read(.table(.row(Balancer.known))) == [learned])
        server.host.advance(to: .seconds(100))
        #expect(try await server.read(.table(.row(Balancer.known))).isEmpty)
      }
    }
  }
#endif
