import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// What a Write may ask for, and the code of everything else (P4Runtime 1.4, section 9).
@Suite(.timeLimit(.minutes(15))) struct WriteTests {
  private static func route(
    _ key: [UInt8], _ port: [UInt8] = [1], _ mac: [UInt8] = [2]
  ) -> P4_V1_Entity {
    .table(.row(Balancer.routes, key, action: .call(Balancer.route, port, mac)))
  }

  @Test func everyMistakeHasItsCode() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      #expect(await server.code(Self.route([1]).insert) == 0)
      let cases: [(P4_V1_Update, Int32, String)] = [
        (Self.route([1]).insert, 6, "is there"),
        (Self.route([0, 0, 1]).insert, 6, "the same value, padded"),
        (Self.route([9]).modify, 5, "is not there"),
        (Self.route([9]).delete, 5, "is not there"),
        (Self.route([1, 0, 0, 0, 0]).insert, 11, "a key that is too wide"),
        (Self.route([]).insert, 11, "an empty key"),
        (Self.route([2], [1], [1, 0, 0, 0, 0, 0, 0]).insert, 11, "a value that is too wide"),
        (Self.route([2], [0xFF, 0xFF, 0xFF]).insert, 11, "a port that is not there"),
        (
          P4_V1_Entity.table(.row(77, [1], action: .call(Balancer.route, [1], [2]))).insert, 3,
          "no such table"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [2], action: .call(999))).insert, 3,
          "no such action"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [2], action: .call(Balancer.route, [1]))).insert,
          3, "a parameter is missing"
        ),
        (P4_V1_Entity.table(.row(Balancer.routes, [2])).insert, 3, "no action"),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [2], [3], action: .call(Balancer.refuse)))
            .insert,
          3, "one field too many"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, action: .call(Balancer.refuse))).insert, 3,
          "a field is missing"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [2], action: .call(Balancer.noAction))).insert,
          7,
          "an action for misses only"
        ),
        (P4_V1_Entity.member(Balancer.backends, 1, .call(999)).insert, 3, "a foreign action"),
        (P4_V1_Entity.member(777, 1, .call(Balancer.pick, [1])).insert, 3, "no such profile"),
        (
          P4_V1_Entity.group(Balancer.backends, 1, [(9, 1)], maximum: 8).insert, 5, "no such member"
        ),
        (Self.route([2]).update(.unspecified), 3, "no type"),
        (P4_V1_Entity().insert, 3, "no entity"),
      ]
      for (update, code, what) in cases {
        let answer = await server.code(update)
        #expect(answer == code, "\(what)")
      }
      // None of them left anything.
      #expect(try await server.read(.allTables()).count == 1)
      withExtendedLifetime(session) {}
    }
  }

  @Test func membersInUseStay() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let member = P4_V1_Entity.member(Balancer.backends, 1, .call(Balancer.pick, [1]))
      let group = P4_V1_Entity.group(Balancer.backends, 2, [(1, 1)], maximum: 8)
      let vip = P4_V1_Entity.table(.row(Balancer.vips, [5], action: .group(2)))
      let outcome = await server.write(member.insert, group.insert, vip.insert)
      #expect(outcome.isOK, "\(outcome)")
      #expect(await server.code(member.delete) == 9)
      #expect(await server.code(group.delete) == 9)
      #expect(await server.write(vip.delete, group.delete, member.delete).isOK)
      #expect(try await server.readAll().isEmpty)
      withExtendedLifetime(session) {}
    }
  }

  /// Good, bad, good.
  @Test(arguments: [
    (P4_V1_WriteRequest.Atomicity.continueOnError, [Int32(0), 6, 0], 3),
    (.rollbackOnError, [10, 6, 10], 1), (.dataplaneAtomic, [10, 6, 10], 1),
  ])
  func atomicity(
    _ atomicity: P4_V1_WriteRequest.Atomicity, _ codes: [Int32], _ rows: Int
  ) async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      #expect(await server.write([Self.route([1]).insert]).isOK)
      let batch = [Self.route([2]), Self.route([1]), Self.route([3])].map(\.insert)
      let outcome = await server.write(batch, atomicity)
      #expect(outcome.code == .unknown && outcome.codes == codes, "\(outcome)")
      #expect(try await server.read(.allTables()).count == rows)
      withExtendedLifetime(session) {}
    }
  }

  /// What a MODIFY does not set stays as it was, the action included.
  @Test func modifyWithoutAnAction() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      var row = P4_V1_TableEntry.row(
        Balancer.routes, [1], action: .call(Balancer.route, [1], [2]))
      row.metadata = .init([1])
      row.controllerMetadata = 2
      #expect(await server.write([P4_V1_Entity.table(row).insert]) == .ok)
      var change = P4_V1_TableEntry.row(Balancer.routes, [1])
      #expect(await server.write([P4_V1_Entity.table(change).modify]) == .ok)
      #expect(try await server.read(.allTables()) == [.table(row)])
      change.metadata = .init([3])
      row.metadata = .init([3])
      #expect(await server.write([P4_V1_Entity.table(change).modify]) == .ok)
      #expect(try await server.read(.allTables()) == [.table(row)])
      change.metadata = .init()
      change.controllerMetadata = 4
      row.controllerMetadata = 4
      #expect(await server.write([P4_V1_Entity.table(change).modify]) == .ok)
      #expect(try await server.read(.allTables()) == [.table(row)])
      withExtendedLifetime(session) {}
    }
  }

  @Test func fullTableIsNamed() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let rows = (1...UInt8(Balancer.routesSize)).map { Self.route([$0]).insert }
      #expect(await server.write(rows).isOK)
      #expect(await server.code(Self.route([99]).insert) == 8)
      #expect(await server.write([Self.route([1]).delete, Self.route([99]).insert]).isOK)
      withExtendedLifetime(session) {}
    }
  }

  /// Too many errors for a client's metadata: the first one is in the message.
  @Test func detailsThatDoNotFit() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let outcome = await server.write((0..<400).map { _ in Self.route([9]).delete })
      #expect(outcome.code == .unknown && outcome.details.isEmpty)
      #expect(outcome.message.contains("400 of 400 updates failed; number 1: notFound"))
      withExtendedLifetime(session) {}
    }
  }

  @Test func withoutAPipeline() async throws {
    try await TestServer.run { server in
      let session = Session(server.client)
      session.arbitrate((0, 1))
      _ = try await session.news()
      #expect(await server.write([Self.route([1]).insert]).code == .failedPrecondition)
      #expect(await server.read([.allTables()]).outcome.code == .failedPrecondition)
    }
  }
}
