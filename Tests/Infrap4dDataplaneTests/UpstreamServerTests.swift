import Core
import Foundation
import GRPCCore
import Infrap4dDataplane
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// The client against a server that misbehaves as upstream's does.
@Suite(.timeLimit(.minutes(15))) struct UpstreamServerTests {
  private func run(
    failures: Int = 0, version: String = "P4RUNTIME_VER",
    _ pipeline: P4_V1_ForwardingPipelineConfig? = nil,
    _ body: @Sendable @escaping (Infrap4dClient, UpstreamFake) async throws -> Void
  ) async throws {
    let path = Servers.socket()
    let fake = UpstreamFake(failures: failures, version: version)
    try await Servers.serve(fake.services, at: path) {
      let config = try pipeline ?? Balancer.config(cookie: 1)
      let client = try await Servers.client(path, pipeline: config)
      try await client.ready()
      #expect(await client.kind == .upstream)
      try await body(client, fake)
      #expect(fake.crash == nil)
      await client.stop()
    }
  }

  /// However it was built: Bazel gives it a version that others have, too.
  @Test(arguments: ["P4RUNTIME_VER", "1.3.0"])
  func changedRowsReallyChange(_ version: String) async throws {
    try await run(version: version) { client, fake in
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

  /// Lists stop at P4Info's size there; what is wanted beyond is asked for by name.
  @Test func rowsBeyondItsLists() async throws {
    var config = try Balancer.config(cookie: 1)
    let routes = try #require(config.p4Info.tables.firstIndex { $0.preamble.id == Balancer.routes })
    config.p4Info.tables[routes].size = 4
    try await run(config) { client, fake in
      try await client.apply((1...12).map { .insert(Rows.route($0)) })
      #expect(try await client.entries(of: "routes") == (1...12).map { Rows.route($0) })
      try await client.apply([.delete(table: "routes", key: [7]), .modify(Rows.route(9, port: 2))])
      let expected = (1...12).filter { $0 != 7 }.map { Rows.route($0, port: $0 == 9 ? 2 : 1) }
      #expect(try await client.entries(of: "routes") == expected)
      #expect(fake.row(Balancer.routes, 9)?.action.params.first?.value.last == 2)
    }
  }

  /// Each row is away for as short as can be, and the maker of a change knows what leads to
  /// what.
  @Test func rowsAreWrittenInTheOrderGiven() async throws {
    try await run { client, fake in
      try await client.apply([
        .insert(Rows.route(5)), .insert(Rows.route(2)), .insert(Rows.route(8)),
      ])
      try await client.apply([
        .modify(Rows.route(8, port: 3)), .insert(Rows.route(1)), .modify(Rows.route(2, port: 3)),
        .delete(table: "routes", key: [5]),
      ])
      let written = fake.updates.map { update in
        "\(update.type) \(update.entity.tableEntry.match.first?.exact.value.last ?? 0)"
      }
      #expect(
        written == [
          "insert 5", "insert 2", "insert 8",
          "delete 8", "insert 8", "insert 1", "delete 2", "insert 2", "delete 5",
        ])
    }
  }

  /// A frame to a port that does not exist crashes it.
  @Test func portsThatDoNotExistAreRefused() async throws {
    try await run { client, fake in
      try await client.apply([.insert(Rows.route(1))])
      let error = await #expect(throws: DataplaneError.self) {
        try await client.apply([.insert(Rows.route(2)), .insert(Rows.route(3, port: 16))])
      }
      #expect(error?.code == .outOfRange)
      #expect(
        error?.message.contains("port 16 is not among the 16") == true,
        "\(String(describing: error))")
      #expect(fake.writes == 1)
      #expect(try await client.entries(of: "routes") == [Rows.route(1)])
    }
  }

  /// It takes no port after the pipeline, so that waits; and it is not asked to do what it
  /// cannot, since a push that failed is kept there.
  @Test func pipelineWaitsForPorts() async throws {
    let path = Servers.socket()
    let fake = UpstreamFake(ports: 2)
    try await Servers.serve(fake.services, at: path) {
      let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1)) {
        $0.ports = 4
      }
      try await client.hears("the server has 2 of 4 ports")
      fake.makePort()
      try await client.hears("the server has 3 of 4 ports")
      #expect(fake.pushes == 0)
      fake.makePort()
      try await client.ready()
      #expect(fake.pushes == 1)
      await client.stop()
    }
  }

  @Test func threePortsAreNamed() async throws {
    let path = Servers.socket()
    let fake = UpstreamFake(ports: 3)
    try await Servers.serve(fake.services, at: path) {
      let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1))
      try await client.hears("has 3 ports; upstream's wants 1, 2, 4, 8")
      #expect(fake.pushes == 0)
      await client.stop()
    }
  }

  /// Whoever asks with the election id of another, which a client's own stream that broke may
  /// still have, hears nothing at all.
  @Test func silenceIsOutbid() async throws {
    try await run { _, fake in
      let path = Servers.socket()
      try await Servers.serve(fake.services, at: path) {
        let second = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1)) {
          $0.silence = .milliseconds(20)
        }
        try await second.apply([.insert(Rows.route(1))])
        #expect(fake.row(Balancer.routes, 1) != nil)
        await second.stop()
      }
    }
  }

  /// A server that was killed is brought back as soon as it has its ports again.
  @Test func restartedServerIsBroughtBack() async throws {
    let path = Servers.socket()
    let (first, second) = (UpstreamFake(ports: 4), UpstreamFake(failures: 2, ports: 0))
    let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1)) {
      $0.ports = 4
    }
    try await Servers.serve(first.services, at: path) {
      try await client.apply([
        .insert(Rows.member(1)), Rows.group(2, [1]), .insert(Rows.vip(50, group: 2)),
        .insert(Rows.route(1)),
      ])
    }
    try await Servers.serve(second.services, at: path) {
      try await client.hears("0 of 4 ports")
      for _ in 0..<4 { second.makePort() }
      while second.row(Balancer.routes, 1) == nil || second.row(Balancer.vips, 50) == nil {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(second.group(Balancer.backends, 2) == [1])
      #expect(first.crash == nil && second.crash == nil)
    }
    await client.stop()
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
    try await Servers.serve(fake.services, at: path) {
      let first = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1))
      try await first.ready()
      await first.stop()
      let second = try await Servers.client(path, pipeline: try Balancer.config(cookie: 2)) {
        $0.electionID = 11
        $0.patience = .milliseconds(300)
      }
      try await second.hears("restart it")
      await second.stop()
    }
  }
}

extension UpstreamFake {
  var services: [any RegistrableRPCService] { [self, UpstreamFakePorts(of: self)] }
}

extension Infrap4dClient {
  /// Waits until it says why it is not ready in these words.
  fileprivate func hears(_ words: String) async throws {
    // It may not have noticed yet that a server is gone.
    while await waiting?.contains(words) != true { try await Task.sleep(for: .milliseconds(5)) }
  }
}
