import Core
import Foundation
import Infrap4dDataplane
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// The client against a server that misbehaves as upstream's does.
@Suite(.timeLimit(.minutes(15))) struct UpstreamServerTests {
  private func run(
    failures: Int = 0,
    _ body: @Sendable @escaping (Infrap4dClient, UpstreamFake) async throws -> Void
  ) async throws {
    let path = Servers.socket()
    let fake = UpstreamFake(failures: failures)
    try await Servers.serve([fake], at: path) {
      let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1))
      try await client.ready()
      #expect(await client.kind == .upstream)
      try await body(client, fake)
      #expect(fake.crash == nil)
      await client.stop()
    }
  }

  @Test func changedRowsReallyChange() async throws {
    try await run { client, fake in
      try await client.apply((1...5).map { .insert(Rows.route($0)) })
      try await client.apply([.modify(Rows.route(2, port: 9)), .delete(table: "routes", key: [3])])
      #expect(fake.row(Balancer.routes, 2)?.action.params.first?.value.last == 9)
      #expect(fake.row(Balancer.routes, 3) == nil)
      let rows = try await client.entries(of: "routes")
      #expect(rows == [1, 2, 4, 5].map { Rows.route($0, port: $0 == 2 ? 9 : 1) })
    }
  }

  @Test func groupsShrinkAndMembersGo() async throws {
    try await run { client, fake in
      try await client.apply([
        .insert(Rows.member(1)), .insert(Rows.member(2)), .insert(Rows.member(3)),
        Rows.group(3, [1, 2, 3]), .insert(Rows.vip(50, group: 3)),
      ])
      try await client.apply([Rows.group(3, [2, 3]), .delete(table: "backends", key: [1])])
      #expect(fake.group(Balancer.backends, 3) == [2, 3])
      // The row was away for a moment, and is there again.
      #expect(fake.row(Balancer.vips, 50)?.actionProfileGroupID == 3)
      #expect(try await client.entries(of: "backends").map(\.key) == [[2], [3]])
      // A member that changes takes its group and the rows with it.
      try await client.apply([.modify(Rows.member(2, port: 8))])
      #expect(try await client.entries(of: "backends").first == Rows.member(2, port: 8))
      #expect(fake.group(Balancer.backends, 3) == [2, 3])
      #expect(fake.row(Balancer.vips, 50) != nil)
    }
  }

  @Test func whatWouldCrashItIsNotSent() async throws {
    try await run { client, fake in
      let error = await #expect(throws: DataplaneError.self) {
        try await client.apply([Rows.group(3, (1...1024).map { $0 })])
      }
      #expect([.outOfRange, .invalidArgument, .resourceExhausted].contains(error?.code))
      #expect(fake.writes == 0)
    }
  }

  /// Pushes fail at random there, and the same push works a moment later.
  @Test func failedPushIsRepeated() async throws {
    try await run(failures: 3) { client, fake in
      try await client.apply([.insert(Rows.route(1))])
      #expect(fake.row(Balancer.routes, 1) != nil)
    }
  }

  /// Lists stop at P4Info's size there; what is known to be there is asked for.
  @Test func rowsBeyondItsLists() async throws {
    try await run { client, _ in
      // `vips` has 64 rows in P4Info, `known`'s size does not matter.
      try await client.apply([.insert(Rows.member(1)), Rows.group(3, [1])])
      try await client.apply((1...60).map { .insert(Rows.vip($0, group: 3)) })
      #expect(try await client.entries(of: "vips").count == 60)
    }
  }

  @Test func refusalIsTakenBack() async throws {
    try await run { client, fake in
      try await client.apply([.insert(Rows.route(1))])
      // Found good by everybody but the server: the group has no members.
      let error = await #expect(throws: DataplaneError.self) {
        try await client.apply([
          .insert(Rows.route(2)), Rows.group(1, []), .insert(Rows.vip(51, group: 1)),
        ])
      }
      #expect(error != nil)
      #expect(try await client.entries(of: "routes") == [Rows.route(1)])
      #expect(fake.row(Balancer.routes, 2) == nil)
    }
  }

  @Test func anotherPipelineNeedsARestart() async throws {
    let path = Servers.socket()
    let fake = UpstreamFake()
    try await Servers.serve([fake], at: path) {
      let first = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1))
      try await first.ready()
      await first.stop()
      let second = try await Servers.client(path, pipeline: try Balancer.config(cookie: 2)) {
        $0.electionID = 11
        $0.patience = .milliseconds(300)
      }
      // Before it has tried, it only knows that it is not connected.
      var message = ""
      while !message.contains("restart it") {
        let error = await #expect(throws: DataplaneError.self) { try await second.ready() }
        message = error?.message ?? "restart it"
      }
      await second.stop()
    }
  }
}
