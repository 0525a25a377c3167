import Core
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Members, groups and one-shot sets (P4Runtime 1.4, section 9.2).
@Suite(.timeLimit(.minutes(15))) struct GroupTests {
  private static func member(_ id: UInt32, port: UInt8 = 1) -> P4_V1_Entity {
    .member(Balancer.backends, id, .call(Balancer.pick, [port]))
  }

  private static func group(
    _ id: UInt32, _ members: [(UInt32, Int32)], maximum: Int32 = 8
  ) -> P4_V1_Entity {
    .group(Balancer.backends, id, members, maximum: maximum)
  }

  private static func vip(_ key: UInt8, _ action: P4_V1_TableAction?) -> P4_V1_Entity {
    .table(.row(Balancer.vips, [key], action: action))
  }

  private static func set(_ actions: (UInt8, Int32)...) -> P4_V1_TableAction {
    .oneShot(actions.map { (.call(Balancer.pick, [$0.0]), $0.1) })
  }

  private func run(
    _ body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      try await body(server)
      withExtendedLifetime(session) {}
    }
  }

  /// Looks at the ports that the engine's groups choose from, with their weights.
  private static func expect(
    _ wanted: [[UInt64: UInt32]], _ server: TestServer,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let found = try await server.host.withDataplane { dataplane -> [[UInt64: UInt32]] in
      let store = try #require(dataplane as? StoreDataplane)
      let members = try store.entries(of: "backends")
      let groups = (store.groups["backends_sel"] ?? [:]).sorted { $0.key < $1.key }
      return groups.map(\.value).filter { !$0.isEmpty }.map { group in
        group.reduce(into: [:]) { choices, choice in
          let member = members.first { $0.key == [UInt64(choice.id)] }
          choices[member?.arguments.first ?? 0] = choice.weight
        }
      }
    }
    #expect(found == wanted, sourceLocation: sourceLocation)
  }

  @Test func groupsFollow() async throws {
    try await run { server in
      #expect(
        await server.write(
          Self.member(1).insert, Self.member(2, port: 2).insert, Self.member(3, port: 3).insert,
          Self.group(7, [(1, 1), (2, 3)]).insert, Self.vip(5, .group(7)).insert
        ).isOK)
      try await Self.expect([[1: 1, 2: 3]], server)
      // MODIFY replaces; a member that changes takes its groups along.
      #expect(
        await server.write(
          Self.group(7, [(2, 2), (3, 1)]).modify, Self.member(2, port: 9).modify,
          Self.member(1).delete
        ).isOK)
      try await Self.expect([[9: 2, 3: 1]], server)
      #expect(try await server.read(.group(0, 0)) == [Self.group(7, [(2, 2), (3, 1)])])
      // An entry that points elsewhere lets its group go. DELETE looks at the id only.
      #expect(
        await server.write(
          Self.vip(5, .member(3)).modify, Self.group(7, [(77, -5)], maximum: 99).delete,
          P4_V1_Entity.member(Balancer.backends, 2).delete
        ).isOK)
      #expect(await server.code(Self.member(3).delete) == 9)
      #expect(await server.write(Self.vip(5, nil).delete, Self.member(3).delete).isOK)
      #expect(try await server.readAll().isEmpty)
      try await Self.expect([], server)
    }
  }

  @Test func mistakesOfGroups() async throws {
    try await run { server in
      #expect(await server.write((1...9).map { Self.member($0, port: UInt8($0)).insert }).isOK)
      #expect(await server.write([Self.group(1, [(1, 1)]).insert]).isOK)
      let cases: [(P4_V1_Update, Int32, String)] = [
        (Self.group(1, []).insert, 6, "is there"), (Self.group(2, []).modify, 5, "is not there"),
        (Self.group(2, []).delete, 5, "is not there"), (Self.group(0, []).insert, 3, "no id"),
        (Self.member(0).insert, 3, "no id"), (Self.member(1).insert, 6, "is there"),
        (Self.member(77).modify, 5, "is not there"), (Self.member(77).delete, 5, "is not there"),
        (P4_V1_Entity.member(Balancer.backends, 77).insert, 3, "no action"),
        (Self.group(2, [(77, 1)]).insert, 5, "no such member"),
        (Self.group(1, [(77, 1)]).modify, 5, "no such member"),
        (Self.group(2, [(1, 1), (1, 1)]).insert, 3, "a member twice"),
        (Self.group(2, [(1, -1)]).insert, 3, "a negative weight"),
        (Self.group(2, [(1, 5)]).insert, 3, "above max_member_weight"),
        (Self.group(2, [(1, 1)], maximum: 0).insert, 3, "no max_size where P4Info has one"),
        (Self.group(2, [(1, 1)], maximum: 9).insert, 3, "max_size above P4Info's"),
        (Self.group(2, [(1, 1)], maximum: -1).insert, 3, "a negative max_size"),
        (Self.group(1, [(1, 1)], maximum: 7).modify, 3, "another max_size"),
        (Self.group(2, [(1, 1), (2, 1)], maximum: 1).insert, 8, "more than max_size"),
        (
          Self.group(2, (1...9).map { ($0, 1) }).insert, 8, "more than max_size"
        ),
        (
          P4_V1_Entity.group(Balancer.hops, 1, [], maximum: 1).insert, 3,
          "a profile without selector"
        ),
        (Self.vip(5, .group(77)).insert, 5, "no such group"),
        (Self.vip(5, .member(77)).insert, 5, "no such member"),
        (Self.vip(5, .call(Balancer.pick, [1])).insert, 3, "a direct action"),
        (
          P4_V1_Entity.table(.row(Balancer.via, [5], action: .group(1))).insert, 3,
          "a group of a profile without selector"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [5], action: .member(1))).insert, 3,
          "a member of a direct table"
        ),
        (Self.vip(5, Self.set((1, 1))).insert, 3, "a set where there are members"),
      ]
      let before = try await server.readAll()
      for (update, code, what) in cases {
        let answer = await server.code(update)
        #expect(answer == code, "\(what)")
      }
      var watched = Self.group(2, [(1, 1)])
      watched.actionProfileGroup.members[0].watchPort = .init([1])
      #expect(await server.code(watched.insert) == 12)
      watched.actionProfileGroup.members[0].watch = 1
      #expect(await server.code(watched.insert) == 12)
      #expect(try await server.readAll() == before)
      // Four groups, which is all that the pipeline has room for.
      #expect(await server.write((2...4).map { Self.group($0, [(1, 1)]).insert }).isOK)
      #expect(await server.code(Self.group(5, [(1, 1)]).insert) == 8)
      #expect(
        await server.write(Self.group(4, []).delete, Self.group(5, [(1, 1)]).insert).isOK)
    }
  }

  @Test func oneShotSets() async throws {
    try await run { server in
      let first = Self.vip(5, Self.set((1, 1), (2, 3)))
      #expect(await server.write(first.insert).isOK)
      try await Self.expect([[1: 1, 2: 3]], server)
      // Its group and members are not the controller's: they cannot be read.
      #expect(try await server.readAll() == [first])
      let second = Self.vip(5, Self.set((4, 2)))
      #expect(await server.write(second.modify).isOK)
      try await Self.expect([[4: 2]], server)
      #expect(try await server.read(.table(.row(Balancer.vips, [5]))) == [second])
      #expect(await server.write(second.delete).isOK)
      try await Self.expect([], server)
      // Nothing of them is left: there is room for as many again, over and over.
      for key in UInt8(1)...40 {
        let entry = Self.vip(key, Self.set((1, 1), (2, 1), (3, 1), (4, 1), (5, 1)))
        #expect(await server.write(entry.insert, entry.delete).isOK)
      }
      #expect(
        try await server.host.withDataplane { try $0.entries(of: "backends") }.isEmpty)
    }
  }

  @Test func mistakesOfOneShotSets() async throws {
    try await run { server in
      let present = Self.vip(1, Self.set((1, 1)))
      #expect(await server.write(present.insert).isOK)
      var watched = Self.set((1, 1))
      watched.actionProfileActionSet.actionProfileActions[0].watchPort = .init([1])
      var empty = Self.set((1, 1))
      empty.actionProfileActionSet.actionProfileActions[0].clearAction()
      let cases: [(P4_V1_Update, Int32, String)] = [
        (Self.vip(1, Self.set((1, 1))).insert, 6, "is there"),
        (Self.vip(2, Self.set((1, 0))).insert, 3, "no weight"),
        (Self.vip(2, Self.set((1, -1))).insert, 3, "a negative weight"),
        (Self.vip(2, Self.set((1, 5))).insert, 3, "above max_member_weight"),
        (
          Self.vip(2, .oneShot((1...9).map { (.call(Balancer.pick, [$0]), 1) })).insert, 3,
          "above max_group_size"
        ),
        (Self.vip(2, .oneShot([(.call(999), 1)])).insert, 3, "no such action"),
        (Self.vip(2, .oneShot([(.call(Balancer.pick), 1)])).insert, 3, "no parameter"),
        (Self.vip(2, empty).insert, 3, "no action"), (Self.vip(2, watched).insert, 12, "watched"),
        (
          P4_V1_Entity.table(.row(Balancer.via, [5], action: Self.set((1, 1)))).insert, 3,
          "a profile without selector"
        ),
        (
          P4_V1_Entity.table(.row(Balancer.routes, [5], action: Self.set((1, 1)))).insert, 3,
          "a direct table"
        ),
        (Self.member(1).insert, 3, "a member where there are sets"),
        (Self.group(1, []).insert, 3, "a group where there are sets"),
      ]
      for (update, code, what) in cases {
        let answer = await server.code(update)
        #expect(answer == code, "\(what)")
      }
      #expect(try await server.readAll() == [present])
      try await Self.expect([[1: 1]], server)
      // When the last set is gone, members are good again.
      #expect(await server.write(present.delete, Self.member(1).insert).isOK)
    }
  }

  /// P4Runtime says INVALID_ARGUMENT of a member without a weight; upstream's manager has no
  /// other members.
  @Test func membersWithoutWeights() async throws {
    try await run { server in
      let group = Self.group(7, [(1, 0), (2, 0)])
      #expect(
        await server.write(
          Self.member(1).insert, Self.member(2, port: 2).insert, group.insert,
          Self.vip(5, .group(7)).insert) == .ok)
      try await Self.expect([[1: 1, 2: 1]], server)
      #expect(try await server.read(.group(0, 0)) == [group])
    }
  }

  /// A batch that fails after sets and groups leaves the engine as it was, also when only
  /// the engine can tell.
  @Test(arguments: [P4_V1_WriteRequest.Atomicity.rollbackOnError, .dataplaneAtomic])
  func failedBatches(_ atomicity: P4_V1_WriteRequest.Atomicity) async throws {
    try await run { server in
      #expect(await server.write(Self.vip(1, Self.set((1, 1), (2, 1))).insert).isOK)
      let before = try await server.readAll()
      let good = [
        Self.vip(1, Self.set((3, 1))).modify, Self.vip(2, Self.set((4, 1), (5, 2))).insert,
        Self.vip(1, nil).delete,
      ]
      let bad = Self.vip(2, Self.set((1, 1))).insert
      let noPort = P4_V1_Entity.table(
        .row(Balancer.routes, [9], action: .call(Balancer.route, [0x10, 0], [1]))
      ).insert
      for (last, code) in [(bad, Int32(6)), (noPort, 11)] {
        let outcome = await server.write(good + [last], atomicity)
        #expect(outcome.code == .unknown && outcome.codes == [10, 10, 10, code], "\(outcome)")
        #expect(try await server.readAll() == before)
        try await Self.expect([[1: 1, 2: 1]], server)
      }
      #expect(await server.write(good, atomicity).isOK)
      try await Self.expect([[4: 1, 5: 2]], server)
    }
  }
}
