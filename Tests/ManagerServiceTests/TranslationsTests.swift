import AgentService
import Core
import GRPCCore
import InfraProtos
import ServiceSync
import Testing

/// Many Services in one call, and an agent that makes it.
@Suite struct TranslationsTests {
  private static func put(_ n: Int, endpoints: Int = 3) -> TranslationChange {
    .put(
      Translation(
        ServiceAddress(IPv4Address(0x0A60_0000 + UInt32(n)), .tcp, 80),
        (0..<endpoints).map { .init(IPv4Address(0x0AF4_0000 + UInt32($0)), 8080) }))
  }

  private static let changes = (1...300).map { put($0) }

  /// What a manager's tables have after the agent told of Services.
  private func tables(isUpstreams: Bool) async throws -> Set<TableEntry> {
    var entries: Set<TableEntry> = []
    try await Manager.run(isUpstreams: isUpstreams) { manager in
      let sink = ManagerTranslations(manager.connection)
      #expect(await sink.make([]).isEmpty)
      #expect(await sink.make(Self.changes).isEmpty)
      #expect(manager.tables.entries(of: "services").count == 300)
      // Again is once; what is not there is removed.
      #expect(
        await sink.make(
          [Self.put(1), Self.put(2, endpoints: 0), .remove(Self.put(3).service)]
            + [.remove(Self.put(400).service)]
        ).isEmpty)
      let activity = await manager.activity()
      #expect(activity.servicePorts == 299 && activity.endpoints == 298 * 3)
      entries = manager.tables.entries(of: "services")
    }
    return entries
  }

  @Test func upstreamsManagerIsToldOneByOne() async throws {
    let (ours, upstreams) = (
      try await tables(isUpstreams: false), try await tables(isUpstreams: true)
    )
    // Their rows are of other numbers: which Service comes first is not said.
    #expect(ours.count == 299 && upstreams.count == 299)
    #expect(Set(ours.map(\.key)) == Set(upstreams.map(\.key)))
  }

  /// The one that is refused is named, and keeps back none of the others.
  @Test(arguments: [false, true])
  func refusals(_ isUpstreams: Bool) async throws {
    try await Manager.run(isUpstreams: isUpstreams) { manager in
      try await manager.host()
      var changes = Self.changes
      // The host's own address is no Service's.
      let host = ServiceAddress(IPv4Address(0xC801_0102), .tcp, 80)
      changes.insert(.put(Translation(host, [.init(IPv4Address(0x0AF4_0001), 80)])), at: 137)
      let errors = await ManagerTranslations(manager.connection).make(changes)
      #expect(errors.keys.sorted() == [137])
      #expect((errors[137] as? RPCError)?.code == .invalidArgument, "\(errors)")
      #expect(manager.tables.entries(of: "services").count == 300)
    }
  }

  @Test func aManagerThatIsAway() async throws {
    let tables = Tables()
    try await Manager.run(tables: tables) { manager in
      tables.isAway = true
      let errors = await ManagerTranslations(manager.connection).make(Self.changes)
      #expect(errors.count == 300)
      #expect(errors.values.allSatisfy { ($0 as? RPCError)?.code == .unavailable })
      tables.isAway = false
      #expect(await ManagerTranslations(manager.connection).make(Self.changes).isEmpty)
    }
  }

  @Test func malformedChanges() async throws {
    try await Manager.run { manager in
      let good = Manager.service("10.96.0.1", to: [("10.244.0.2", 80)])
      let response = try await K8sdp_V1_Translations.Client(wrapping: manager.connection)
        .makeChanges(
          .with {
            $0.changes = [
              .init(), .with { $0.put = good },
              .with { $0.put = Manager.service("10.96.0.2", to: [("fd00::1", 80)]) },
              .with { $0.put = Manager.service("10.96.0.2", proto: "SCTP", to: []) },
              .with { $0.remove = Manager.service("10.96.0.2", port: 0, to: []) },
              .with { $0.remove = .init() },
            ]
          })
      #expect(response.refused.map(\.index) == [0, 2, 3, 4, 5])
      #expect(response.refused.allSatisfy { $0.code == 3 }, "INVALID_ARGUMENT")
      #expect(
        response.refused.map(\.message) == [
          "change is missing; give put or remove",
          "backends[0].dst_ep.ipv4_addr is \"fd00::1\"; give an IPv4 address such as "
            + "10.244.0.6/32",
          "proto is \"SCTP\"; give TCP or UDP",
          "endpoint.port is \"0\"; give a port of 1 to 65535",
          "proto is missing; give TCP or UDP",
        ])
      #expect(manager.tables.entries(of: "services").count == 1)
    }
  }
}
