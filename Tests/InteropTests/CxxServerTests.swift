import Core
import Infrap4dDataplane
import Logging
import NodeTesting
import P4RuntimeTesting
import Testing

/// A server on grpc++ driven by our controller.
@Suite(
  .timeLimit(.minutes(30)),
  .enabled(if: CxxPrograms.reason == nil, "\(CxxPrograms.reason ?? "")"))
struct CxxServerTests {
  private func client(
    _ folder: InteropFolder, port: Int, electionID: UInt64 = 10
  ) async throws -> Infrap4dClient {
    var options = Infrap4dOptions()
    options.address = .tcp(host: "localhost", port: port)
    options.security = .mutualTLS(folder: folder.certificates)
    options.electionID = electionID
    options.pipeline = try Balancer.config(cookie: 1)
    // Other tests may have the processors.
    options.patience = .seconds(3600)
    options.backoff = .milliseconds(10)...(.milliseconds(50))
    let client = try Infrap4dClient(
      options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await client.start()
    return client
  }

  private static func route(_ key: UInt64, port: UInt64 = 1) -> TableEntry {
    TableEntry(table: "routes", key: [key], action: "route", arguments: [port, 7])
  }

  private static func member(_ id: UInt64) -> TableEntry {
    TableEntry(table: "backends", key: [id], action: "pick", arguments: [id])
  }

  private static func group(_ members: [UInt32]) -> Update {
    .setGroup(selector: "backends_sel", group: 2, members: members.map { GroupMember(id: $0) })
  }

  private static let vip = TableEntry(
    table: "vips", key: [50], action: "vips_set_group_id", arguments: [2])

  /// As a dataplane: entries, members and groups, changed and taken away.
  @Test func dataplane() async throws {
    let folder = try InteropFolder()
    let (server, port) = try await folder.cxxServer()
    let client = try await client(folder, port: port)
    try await blocking {
      let dataplane = try Infrap4dDataplane(client)
      try dataplane.apply(
        (1...10).map { .insert(Self.route($0)) } + [
          .insert(Self.member(1)), .insert(Self.member(2)), Self.group([1, 2]), .insert(Self.vip),
        ])
      try dataplane.apply([
        .modify(Self.route(3, port: 9)), .delete(table: "routes", key: [4]), Self.group([2]),
        .delete(table: "backends", key: [1]),
      ])
      let expected = [1, 2, 3, 5, 6, 7, 8, 9, 10].map { Self.route($0, port: $0 == 3 ? 9 : 1) }
      #expect(try dataplane.entries(of: "routes") == expected)
      #expect(try dataplane.entries(of: "backends") == [Self.member(2)])
      #expect(try dataplane.entries(of: "vips") == [Self.vip])
      // Only the server knows which ports there are; nothing of the batch is left.
      let error = #expect(throws: DataplaneError.self) {
        try dataplane.apply([.insert(Self.route(20)), .insert(Self.route(21, port: 5000))])
      }
      #expect(error?.code == .outOfRange)
      #expect(error?.message.contains("the port does not exist") == true)
      #expect(try dataplane.entries(of: "routes") == expected)
    }
    #expect(await client.kind == .faithful)
    await client.stop()
    #expect(server.isRunning)
  }

  /// A server that starts again has nothing: it is given everything again.
  @Test func restart() async throws {
    let folder = try InteropFolder()
    let (first, port) = try await folder.cxxServer()
    let client = try await client(folder, port: port)
    try await client.apply([
      .insert(Self.route(1)), .insert(Self.member(1)), Self.group([1]), .insert(Self.vip),
    ])
    first.kill()
    _ = try await first.rest()
    let (second, _) = try await folder.cxxServer(port: port)
    try await second.wait(for: "pipeline")
    try await second.wait(for: "wrote 4")
    #expect(try await client.entries(of: "vips") == [Self.vip])
    #expect(try await client.entries(of: "routes") == [Self.route(1)])
    await client.stop()
  }

  /// The one with the higher election id drives, and hands over when it goes.
  @Test func takeover() async throws {
    let folder = try InteropFolder()
    let (server, port) = try await folder.cxxServer()
    let first = try await client(folder, port: port, electionID: 10)
    try await first.apply([.insert(Self.route(1))])
    let second = try await client(folder, port: port, electionID: 20)
    // It wants nothing, and so takes away what is there.
    try await second.ready()
    #expect(try await second.entries(of: "routes").isEmpty)
    await second.stop()
    while try await first.entries(of: "routes") != [Self.route(1)] {
      try await Task.sleep(for: .milliseconds(5))
    }
    await first.stop()
    #expect(server.isRunning)
  }
}
