import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// SetForwardingPipelineConfig and GetForwardingPipelineConfig (P4Runtime 1.4, sections 13
/// and 14).
@Suite(.timeLimit(.minutes(15))) struct PipelineConfigTests {
  private static func route(_ key: UInt8, port: UInt8 = 1) -> P4_V1_Entity {
    .table(.row(Balancer.routes, [key], action: .call(Balancer.route, [port], [2])))
  }

  /// A pipeline that has no table for what others have.
  private static func smaller() throws -> P4_V1_ForwardingPipelineConfig {
    var config = try Balancer.config(cookie: 9)
    config.p4Info.tables.removeAll { $0.preamble.id == Balancer.routes }
    return config
  }

  private static func primary(_ server: TestServer) async throws -> Session {
    let session = Session(server.client)
    session.arbitrate((0, 1))
    #expect(try await session.news().status.code == 0)
    return session
  }

  @Test func verifyChangesNothing() async throws {
    try await TestServer.run { server in
      let session = try await Self.primary(server)
      #expect(await server.set(.verify, try Balancer.config(cookie: 1)).isOK)
      #expect(try await server.get().hasConfig == false)
      #expect(await server.set(.verifyAndCommit, try Balancer.config(cookie: 1)).isOK)
      #expect(await server.write(Self.route(1).insert).isOK)
      #expect(await server.set(.verify, try Balancer.config(cookie: 2)).isOK)
      #expect(try await server.get().config.cookie.cookie == 1)
      #expect(try await server.read(.allTables()) == [Self.route(1)])
      withExtendedLifetime(session) {}
    }
  }

  @Test func commitClears() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config(cookie: 1))
      #expect(await server.write(Self.route(1).insert).isOK)
      #expect(await server.set(.verifyAndCommit, try Balancer.config(cookie: 2)).isOK)
      #expect(try await server.readAll().isEmpty)
      #expect(try await server.host.withDataplane { try $0.entries(of: "routes") }.isEmpty)
      #expect(try await server.get().config.cookie.cookie == 2)
      withExtendedLifetime(session) {}
    }
  }

  /// What is written after VERIFY_AND_SAVE is of the saved pipeline, and takes effect with
  /// COMMIT; until then the old one forwards as it did.
  @Test func savedWritesAreReplayed() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config(cookie: 1))
      #expect(await server.write(Self.route(1).insert).isOK)
      #expect(await server.set(.verifyAndSave, try Balancer.config(cookie: 2)).isOK)
      #expect(try await server.get().config.cookie.cookie == 2)
      #expect(try await server.read(.allTables()).isEmpty)
      let vip = P4_V1_Entity.table(.row(Balancer.vips, [5], action: .group(2)))
      let counter = P4_V1_Entity.counter(Balancer.hits, 3, packets: 42)
      let outcome = await server.write([
        Self.route(2).insert, Self.route(3).insert, Self.route(3).delete,
        P4_V1_Entity.member(Balancer.backends, 1, .call(Balancer.pick, [1])).insert,
        P4_V1_Entity.group(Balancer.backends, 2, [(1, 1)], maximum: 8).insert, vip.insert,
        counter.modify,
      ])
      #expect(outcome.isOK, "\(outcome)")
      #expect(await server.code(Self.route(2).insert) == 6)
      #expect(try await server.read(counter) == [counter])
      func keys() async throws -> [[UInt64]] {
        try await server.host.withDataplane { try $0.entries(of: "routes").map(\.key) }
      }
      #expect(try await keys() == [[1]])
      #expect(await server.set(.commit).isOK)
      #expect(try await keys() == [[2]])
      #expect(try await server.read(.allTables()) == [Self.route(2), vip])
      #expect(try await server.read(counter) == [counter])
      // It is no longer saved.
      #expect(await server.set(.commit).code == .notFound)
      withExtendedLifetime(session) {}
    }
  }

  /// Entries, groups, defaults and counters stay, in the same pipeline and in another one
  /// that has room for them.
  @Test(arguments: [false, true]) func reconcileKeeps(_ isOther: Bool) async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config(cookie: 1))
      let counter = P4_V1_Entity.counter(Balancer.hits, 3, packets: 42)
      let miss = P4_V1_Entity.table(
        .defaultEntry(Balancer.keyless, .call(Balancer.refuse)))
      let outcome = await server.write([
        Self.route(1).insert,
        P4_V1_Entity.member(Balancer.backends, 1, .call(Balancer.pick, [1])).insert,
        P4_V1_Entity.group(Balancer.backends, 2, [(1, 1)], maximum: 8).insert,
        P4_V1_Entity.table(.row(Balancer.vips, [5], action: .group(2))).insert,
        counter.modify, miss.modify,
      ])
      #expect(outcome.isOK, "\(outcome)")
      let before = try await server.readAll()
      #expect(before.count == 4)
      var config = try Balancer.config(cookie: 2)
      if isOther { config.p4Info.pkgInfo.version = "2" }
      #expect(await server.set(.reconcileAndCommit, config) == .ok)
      #expect(try await server.get().config == config)
      #expect(try await server.readAll() == before)
      #expect(try await server.read(counter) == [counter])
      #expect(try await server.read(.table(.defaultEntry(Balancer.keyless))) == [miss])
      #expect(try await server.host.withDataplane { try $0.entries(of: "routes").count } == 1)
      withExtendedLifetime(session) {}
    }
  }

  @Test func reconcileThatCannotKeep() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config(cookie: 1))
      #expect(await server.write(Self.route(1).insert).isOK)
      let outcome = await server.set(.reconcileAndCommit, try Self.smaller())
      #expect(outcome.code == .invalidArgument)
      #expect(outcome.message.contains("cannot be kept"), "\(outcome)")
      // The old one stays, with its entries.
      #expect(try await server.get().config.cookie.cookie == 1)
      #expect(try await server.read(.allTables()) == [Self.route(1)])
      #expect(await server.write(Self.route(1).delete).isOK)
      #expect(await server.set(.reconcileAndCommit, try Self.smaller()).isOK)
      withExtendedLifetime(session) {}
    }
  }

  @Test func mistakes() async throws {
    try await TestServer.run { server in
      let config = try Balancer.config(cookie: 1)
      // The device and the role are looked at first, then who is primary.
      #expect(await server.set(.verify, config, device: 2).code == .notFound)
      #expect(await server.set(.verify, config, role: "nobody").code == .notFound)
      #expect(await server.set(.verify, config).code == .permissionDenied)
      let session = try await Self.primary(server)
      #expect(await server.set(.verify, config, id: (0, 2)).code == .permissionDenied)
      #expect(await server.set(.verify, config, id: nil).code == .permissionDenied)

      for action in [
        P4_V1_SetForwardingPipelineConfigRequest.Action.verify, .verifyAndSave, .verifyAndCommit,
        .reconcileAndCommit,
      ] {
        #expect(await server.set(action).code == .invalidArgument, "no config")
        #expect(await server.set(action, .init()).code == .invalidArgument, "an empty config")
        var garbled = config
        garbled.p4DeviceConfig = .init([0xFF, 0xFF, 0xFF])
        #expect(await server.set(action, garbled).code == .invalidArgument, "no bundle")
        var foreign = config
        foreign.p4Info.tables[0].preamble.name = "main.others"
        foreign.p4Info.tables[0].preamble.alias = "others"
        #expect(await server.set(action, foreign).code == .invalidArgument, "another P4Info")
      }
      #expect(await server.set(.unspecified, config).code == .invalidArgument)
      #expect(await server.set(.UNRECOGNIZED(77), config).code == .invalidArgument)
      #expect(await server.set(.commit).code == .notFound)
      #expect(await server.set(.verifyAndSave, config).isOK)
      #expect(await server.set(.commit, config).code == .invalidArgument)
      #expect(await server.set(.commit).isOK)
      withExtendedLifetime(session) {}
    }
  }

  @Test func partsOfTheAnswer() async throws {
    try await TestServer.run { server in
      #expect(try await server.get() == .init())
      let config = try Balancer.config(cookie: 7)
      let session = try await server.start(config)
      #expect(try await server.get().config == config)
      var part = P4_V1_ForwardingPipelineConfig()
      part.cookie = config.cookie
      #expect(try await server.get(.cookieOnly).config == part)
      part.p4Info = config.p4Info
      #expect(try await server.get(.p4InfoAndCookie).config == part)
      part.clearP4Info()
      part.p4DeviceConfig = config.p4DeviceConfig
      #expect(try await server.get(.deviceConfigAndCookie).config == part)
      // Without a cookie there is none in the answer.
      #expect(await server.set(.verifyAndCommit, try Balancer.config()).isOK)
      #expect(try await server.get(.cookieOnly).config.hasCookie == false)
      for (type, device) in [
        (P4_V1_GetForwardingPipelineConfigRequest.ResponseType.all, UInt64(2)),
        (.UNRECOGNIZED(77), 1),
      ] {
        await #expect(throws: (any Error).self) { try await server.get(type, device: device) }
      }
      withExtendedLifetime(session) {}
    }
  }
}
