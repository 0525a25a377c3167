import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

@testable import Infrap4dDataplane

/// The client against our own service.
@Suite(.timeLimit(.minutes(15))) struct OwnServerTests {
  @Test func entriesAreTheServers() async throws {
    let path = Servers.socket()
    let (service, host) = Servers.ours()
    try await Servers.serve([service], at: path) {
      let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1))
      try await client.apply((1...10).map { .insert(Rows.route($0)) })
      try await client.apply([
        .modify(Rows.route(3, port: 9)), .delete(table: "routes", key: [4]),
        .insert(Rows.member(1)), .insert(Rows.member(2)), Rows.group(2, [1, 2]),
        .insert(Rows.vip(50, group: 2)),
      ])
      let expected = [1, 2, 3, 5, 6, 7, 8, 9, 10].map { Rows.route($0, port: $0 == 3 ? 9 : 1) }
      #expect(try await client.entries(of: "routes") == expected)
      #expect(try await client.entries(of: "backends") == [Rows.member(1), Rows.member(2)])
      #expect(try await host.withDataplane { try $0.entries(of: "routes") } == expected)
      // A group that shrinks, and members that go with it.
      try await client.apply([Rows.group(2, [2]), .delete(table: "backends", key: [1])])
      #expect(try await client.entries(of: "backends") == [Rows.member(2)])
      await client.stop()
    }
  }

  @Test func refusalsHaveNoPartialEffect() async throws {
    let path = Servers.socket()
    let (service, _) = Servers.ours()
    try await Servers.serve([service], at: path) {
      let client = try await Servers.client(path, pipeline: try Balancer.config(cookie: 1)) {
        // So that a refusal comes after batches that were good.
        $0.batchSize = 2
      }
      try await client.apply([.insert(Rows.route(1))])
      func code(_ updates: [Update]) async -> DataplaneError.Code? {
        do {
          try await client.apply(updates)
          return nil
        } catch {
          return error.code
        }
      }
      let good = (2...6).map { Update.insert(Rows.route($0)) }
      #expect(await code(good + [.insert(Rows.route(1))]) == .alreadyExists)
      #expect(await code(good + [.modify(Rows.route(99))]) == .notFound)
      #expect(await code(good + [.delete(table: "routes", key: [99])]) == .notFound)
      #expect(await code(good + [.delete(table: "nowhere", key: [99])]) == .notFound)
      // Only the server knows which ports there are.
      #expect(await code(good + [.insert(Rows.route(7, port: 5000))]) == .outOfRange)
      #expect(try await client.entries(of: "routes") == [Rows.route(1)])
      #expect(await code((2...17).map { .insert(Rows.route($0)) }) == .resourceExhausted)
      #expect(try await client.entries(of: "routes") == [Rows.route(1)])
      // And it goes on.
      try await client.apply(good)
      #expect(try await client.entries(of: "routes").count == 6)
      await client.stop()
    }
  }

  /// A server that lost everything has it again, whoever restarted.
  @Test func restartedServerIsBroughtBack() async throws {
    let path = Servers.socket()
    let (first, _) = Servers.ours()
    let config = try Balancer.config(cookie: 1)
    let client = try await Servers.client(path, pipeline: config)
    let updates: [Update] = [
      .insert(Rows.member(1)), Rows.group(2, [1]), .insert(Rows.vip(50, group: 2)),
      .insert(Rows.route(1)),
    ]
    try await Servers.serve([first], at: path) { try await client.apply(updates) }
    let (second, _) = Servers.ours()
    try await Servers.serve([second], at: path) {
      // Nothing is asked of the client: it comes back by itself.
      while try await client.entries(of: "routes") != [Rows.route(1)] {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(try await client.entries(of: "vips") == [Rows.vip(50, group: 2)])
      try await client.apply([.delete(table: "routes", key: [1])])
    }
    await client.stop()
  }

  /// A client that comes back to a server puts right what somebody changed meanwhile,
  /// and touches nothing else.
  @Test func strangersChangesAreUndone() async throws {
    let path = Servers.socket()
    let (service, host) = Servers.ours()
    try await Servers.serve([service], at: path) {
      let config = try Balancer.config(cookie: 1)
      let client = try await Servers.client(path, electionID: 10, pipeline: config)
      try await client.apply((1...3).map { .insert(Rows.route($0)) })
      let stranger = try await Servers.client(path, electionID: 20, pipeline: nil)
      try await stranger.apply([
        .modify(Rows.route(1, port: 8)), .delete(table: "routes", key: [2]),
        .insert(Rows.route(9)),
      ])
      // While the other one is primary.
      let impatient = try await Servers.client(path, electionID: 5, pipeline: nil) {
        $0.patience = .milliseconds(200)
      }
      await #expect(throws: DataplaneError.self) { try await impatient.ready() }
      await impatient.stop()
      await stranger.stop()
      let expected = (1...3).map { Rows.route($0) }
      while try await host.withDataplane({ try $0.entries(of: "routes") }) != expected {
        try await Task.sleep(for: .milliseconds(5))
      }
      await client.stop()
    }
  }

  /// So many errors that they do not fit into what a client takes are found all the same.
  @Test func refusalOfManyHasItsCode() async throws {
    let path = Servers.socket()
    let (service, host) = Servers.ours()
    try await Servers.serve([service], at: path) {
      let large = Balancer.spec.replacing("size 0x10\n", with: "size 0x1000\n")
      #expect(large != Balancer.spec)
      let config = try Pipelines.make(spec: large, info: Balancer.info, cookie: 1)
      let client = try await Servers.client(path, pipeline: config)
      func route(_ key: UInt64, port: UInt64 = 1) -> Update {
        .insert(Rows.route(key, port: port))
      }
      try await client.apply([route(1)])
      let many = (2...700).map { route($0) }
      for place in [0, 130, 699] {
        var updates = many
        updates.insert(route(999, port: 5000), at: place)
        let error = await #expect(throws: DataplaneError.self) { try await client.apply(updates) }
        #expect(error?.code == .outOfRange)
        #expect(try await host.withDataplane { try $0.entries(of: "routes").count } == 1)
      }
      try await client.apply(many)
      #expect(try await client.entries(of: "routes").count == 700)
      await client.stop()
    }
  }

  /// What a stranger made of members, groups and defaults goes, whatever refers to what.
  @Test func strangersGroupsGo() async throws {
    let path = Servers.socket()
    let (service, host) = Servers.ours()
    try await Servers.serve([service], at: path) {
      let config = try Balancer.config(cookie: 1)
      let client = try await Servers.client(path, electionID: 10, pipeline: config)
      try await client.apply([
        .insert(Rows.member(1)), Rows.group(2, [1]), .insert(Rows.vip(50, group: 2)),
      ])
      let stranger = try await Servers.client(path, electionID: 20, pipeline: nil)
      try await stranger.apply([
        .insert(Rows.member(7)), Rows.group(3, [7]), .insert(Rows.vip(60, group: 3)),
        .setDefault(table: "routes", action: "route", arguments: [9, 9]),
      ])
      await stranger.stop()
      while try await host.withDataplane({ try $0.entries(of: "backends") }) != [Rows.member(1)] {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(try await client.entries(of: "vips") == [Rows.vip(50, group: 2)])
      let other = try await Servers.client(path, electionID: 30, pipeline: nil)
      try await other.ready()
      #expect(await other.wanted.defaults.isEmpty)
      await other.stop()
      await client.stop()
    }
  }

  /// Whether what a server has can be had by this client or not, it is made what is wanted.
  @Test func oneShotEntriesAreReplaced() throws {
    let program = try PipelineConfig(try Balancer.config()).program
    var present = RemoteState()
    var entry = P4_V1_TableEntry()
    entry.tableID = Balancer.vips
    entry.match = [
      .with {
        $0.fieldID = 1
        $0.exact.value = Data([60])
      }
    ]
    entry.action.actionProfileActionSet = .init()
    try EntityDecoder(program: program).add(.with { $0.tableEntry = entry }, to: &present)
    let updates = RemoteState().updates(
      from: present, members: [], in: RemoteState.Order(program.contract))
    #expect(updates == [.delete(table: "vips", key: [60])])
  }

  @Test func serverThatIsAwayIsAnError() async throws {
    let client = try await Servers.client(Servers.socket(), pipeline: try Balancer.config()) {
      $0.patience = .milliseconds(100)
    }
    let error = await #expect(throws: DataplaneError.self) {
      try await client.apply([.insert(Rows.route(1))])
    }
    #expect(error?.code == .unavailable)
    await client.stop()
  }
}
