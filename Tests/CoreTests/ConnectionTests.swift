import Core
import Testing

/// What an entry of `flows` says of a connection.
@Suite struct ConnectionTests {
  private static func entry(
    kind: UInt64 = 6, nat: UInt64 = 1, timer: UInt8 = 5, table: String = "flows"
  ) -> LearnedEntry {
    LearnedEntry(
      table: table, key: [0x0AF4_0006, 40_000, 0x0A60_0050, 80, kind, 1], action: "flow_hit",
      arguments: [42, 0x0AF4_0007, 8080, 6, nat], timer: timer, expiry: 1 << 40)
  }

  @Test(arguments: [(UInt64(6), TransportProtocol.tcp), (7, .tcp), (0x80, .udp), (0xFF, .udp)])
  func requests(_ kind: UInt64, _ transport: TransportProtocol) throws {
    let connection = try #require(K8sDP.Connection(Self.entry(kind: kind)))
    #expect(connection.transport == transport)
    #expect(connection.client.description == "10.244.0.6:40000")
    #expect(connection.service.description == "10.96.0.80:80")
    #expect(connection.endpoint.description == "10.244.0.7:8080")
    #expect(connection.endpointID == 42 && connection.timer == .tcpEstablished)
  }

  @Test func otherEntries() {
    #expect(K8sDP.Connection(Self.entry(nat: 2)) == nil, "a reply's")
    #expect(K8sDP.Connection(Self.entry(timer: 3)) == nil, "one that is over")
    #expect(K8sDP.Connection(Self.entry(timer: 4)) == nil, "a timer that there is not")
    #expect(K8sDP.Connection(Self.entry(table: "fragments")) == nil)
  }

  /// Another moment to begin with is another count, as far apart as before.
  @Test func clocksBeginWhereTheyAreTold() {
    let clock = EngineClock(hertz: 3_000_000_000, start: 5 << 40)
    #expect(clock.cycles(at: .zero) == 5 << 40)
    #expect(clock.cycles(at: .seconds(2)) == (5 << 40) + 6_000_000_000)
    #expect(EngineClock(hertz: 1).start == EngineClock.origin)
  }

  /// Timers are a pipeline's own affair; everything else makes k8s_dp.
  @Test func whatIsK8sDP() {
    var contract = K8sDP.contract
    #expect(contract.isK8sDP)
    contract.learners[0].timers[0] = 77
    #expect(contract.isK8sDP)
    contract.tables[0].size -= 1
    #expect(!contract.isK8sDP)
    #expect(!Contract(actions: [:], tables: [], learners: [], selectors: []).isK8sDP)
  }
}
