import Core
import Testing

@testable import Replay

/// What the two control planes write into upstream's tables.
@Suite struct UpstreamControlTests {
  static func interface(_ name: String, _ last: UInt32, port: PortID) -> Intent.Interface {
    Intent.Interface(
      name: name, ip: IPv4Address(0x0AF4_0000 + last),
      mac: MACAddress(0x0200_0000_0200 + UInt64(last)),
      port: port)
  }

  static func endpoint(_ last: UInt32, port: UInt16 = 53) -> Intent.Endpoint {
    Intent.Endpoint(address: IPv4Address(0x0AF4_0000 + last), port: port)
  }

  static func service(
    _ name: String, _ last: UInt32, _ endpoints: [Intent.Endpoint],
    transport: TransportProtocol = .tcp
  ) -> Intent.Service {
    Intent.Service(
      name: name, clusterIP: IPv4Address(0x0A60_0000 + last),
      ports: [Intent.ServicePort(transport: transport, port: 53, endpoints: endpoints)])
  }

  static func intent(_ services: [Intent.Service], pods: [UInt32] = [3, 4, 5]) -> Intent {
    Intent(
      gateway: Intent.Interface(
        name: "gateway", ip: IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_0000_0001), port: 0),
      host: Intent.Interface(
        name: "host", ip: IPv4Address(0xC801_0102), mac: MACAddress(0x0200_0000_0102), port: 1),
      pods: pods.map { interface("pod-\($0)", $0, port: PortID($0)) }, services: services)
  }

  /// Keeps tables as a dataplane does, and every write.
  final class Tables {
    var store = TableStore(contract: UpstreamContract.make())
    var writes: [Update] = []

    func apply(_ updates: [Update]) throws(DataplaneError) {
      _ = try store.commit(updates)
      writes += updates
    }

    func rows(_ table: String) throws -> [[UInt64]] {
      try store.entries(of: table).map { $0.key + $0.arguments }
    }
  }

  // MARK: Careful

  @Test func carefulChangesOnlyWhatDiffers() throws {
    let tables = Tables()
    var compiler = CarefulCompiler(contract: tables.store.contract)
    let web = Self.service("web", 10, [Self.endpoint(3)])
    try tables.apply(compiler.updates(for: Self.intent([web])))
    #expect(compiler.updates(for: Self.intent([web])) == [])
    let wider = Self.service("web", 10, [Self.endpoint(3), Self.endpoint(4)])
    let updates = compiler.updates(for: Self.intent([wider]))
    try tables.apply(updates)
    // A member, its destination, its reverse row; and the group.
    #expect(updates.count == 4)
    #expect(
      try tables.rows("write_dest_ip_table") == [[1, 0x0AF4_0003, 53], [2, 0x0AF4_0004, 53]])
    #expect(compiler.refused == [])
  }

  @Test func carefulKeepsRowsWhileThePodIsThere() throws {
    let tables = Tables()
    var compiler = CarefulCompiler(contract: tables.store.contract)
    let both = Self.service("web", 10, [Self.endpoint(3), Self.endpoint(4)])
    try tables.apply(compiler.updates(for: Self.intent([both])))
    let one = Self.service("web", 10, [Self.endpoint(4)])
    try tables.apply(compiler.updates(for: Self.intent([one])))
    #expect(try tables.rows("write_dest_ip_table").count == 2)
    try tables.apply(compiler.updates(for: Self.intent([one], pods: [4, 5])))
    #expect(try tables.rows("write_dest_ip_table") == [[2, 0x0AF4_0004, 53]])
    // An id that was free is not the next to be given.
    let more = Self.service("web", 10, [Self.endpoint(4), Self.endpoint(5)])
    try tables.apply(compiler.updates(for: Self.intent([more], pods: [4, 5])))
    #expect(try tables.rows("write_dest_ip_table").map { $0[0] } == [2, 3])
    try tables.apply(compiler.updates(for: Self.intent([], pods: [])))
    for table in ["write_dest_ip_table", "write_source_ip_table", "tx_balance_tcp", "as_sl3_tcp"] {
      #expect(try tables.rows(table) == [], "\(table)")
    }
  }

  @Test func carefulLetsTheLastServiceOfAnEndpointWin() throws {
    let tables = Tables()
    var compiler = CarefulCompiler(contract: tables.store.contract)
    let services = [
      Self.service("a", 10, [Self.endpoint(3)]), Self.service("b", 11, [Self.endpoint(3)]),
    ]
    try tables.apply(compiler.updates(for: Self.intent(services)))
    let reverse = try #require(try tables.rows("set_meta_tcp").first)
    #expect(try tables.rows("set_meta_tcp").count == 1)
    #expect(try tables.rows("write_source_ip_table").last == [reverse[2], 0x0A60_000B, 53])
  }

  @Test func carefulLeavesOutWhatDoesNotFit() throws {
    let contract = UpstreamContract.make(destinations: 3, groups: 2)
    var compiler = CarefulCompiler(contract: contract)
    var store = TableStore(contract: contract)
    let services = [
      Self.service("a", 10, [Self.endpoint(3), Self.endpoint(4)]),
      Self.service("b", 11, [Self.endpoint(3), Self.endpoint(4)]),
      Self.service("c", 12, [Self.endpoint(5)]), Self.service("d", 13, [Self.endpoint(5)]),
    ]
    _ = try store.commit(compiler.updates(for: Self.intent(services)))
    #expect(
      compiler.refused == [
        "TCP 10.96.0.11:53: no row of write_dest_ip_table is free",
        "TCP 10.96.0.13:53: no group is free",
      ])
    #expect(
      try store.entries(of: "tx_balance_tcp").map { $0.key[0] } == [0x0A60_000A, 0x0A60_000C])
  }

  // MARK: Manager

  private func follow(_ manager: inout UpstreamManager, _ tables: Tables, _ intent: Intent) {
    manager.follow(intent) { (update) throws(DataplaneError) in try tables.apply([update]) }
  }

  /// The order and the ids of a fresh manager's first Service.
  @Test func managerAddsAServiceInItsOrder() throws {
    let tables = Tables()
    var manager = UpstreamManager()
    follow(&manager, tables, Self.intent([]))
    let before = tables.writes.count
    // One row for the gateway, two for the host and each pod.
    #expect(before == 9)
    let dns = Self.service("dns", 10, [Self.endpoint(3), Self.endpoint(4)])
    follow(&manager, tables, Self.intent([dns]))
    let names = tables.writes[before...].map { update in
      switch update {
      case .insert(let row): "\(row.table) \(row.key[0])"
      case .setGroup(let selector, _, let members): "\(selector) \(members.map(\.id))"
      case .modify, .delete, .setDefault, .resetDefault: "other"
      }
    }
    #expect(
      names == [
        "write_dest_ip_table 17", "write_dest_ip_table 18", "as_sl3_tcp 17", "as_sl3_tcp 18",
        "as_sl3_tcp_sel [17, 18]", "set_meta_tcp \(0x0AF4_0003)", "set_meta_tcp \(0x0AF4_0004)",
        "tx_balance_tcp \(0x0A60_000A)", "write_source_ip_table 1",
      ])
  }

  @Test func managerDeletesAndAddsAnewOnAnyChange() throws {
    let tables = Tables()
    var manager = UpstreamManager()
    follow(&manager, tables, Self.intent([Self.service("dns", 10, [Self.endpoint(3)])]))
    let wider = Self.service("dns", 10, [Self.endpoint(3), Self.endpoint(4)])
    follow(&manager, tables, Self.intent([wider]))
    #expect(try tables.rows("write_dest_ip_table").map { $0[0] } == [33, 34])
    #expect(try tables.rows("write_source_ip_table").map { $0[0] } == [2])
    follow(&manager, tables, Self.intent([]))
    for table in ["write_dest_ip_table", "write_source_ip_table", "tx_balance_tcp", "set_meta_tcp"]
    {
      #expect(try tables.rows(table) == [], "\(table)")
    }
    #expect(manager.refused == [])
  }

  @Test func managerCannotAddSeventeenEndpoints() throws {
    for (count, isServed) in [(16, true), (17, false)] {
      let tables = Tables()
      var manager = UpstreamManager()
      let endpoints = (0..<count).map { Self.endpoint(UInt32(20 + $0)) }
      follow(&manager, tables, Self.intent([Self.service("dns", 10, endpoints)]))
      #expect(try tables.rows("tx_balance_tcp").isEmpty != isServed)
      #expect(manager.refused.isEmpty == isServed)
      // What was written before stays.
      #expect(try tables.rows("write_dest_ip_table").count == 16)
    }
  }

  @Test func managerCannotShareAnEndpoint() throws {
    let tables = Tables()
    var manager = UpstreamManager()
    let services = [
      Self.service("a", 10, [Self.endpoint(3)]), Self.service("b", 11, [Self.endpoint(3)]),
    ]
    follow(&manager, tables, Self.intent(services))
    #expect(
      manager.refused == [
        "NatTranslationAdd TCP 10.96.0.11:53 ends at set_meta_tcp 10.244.0.3:53, which is there "
          + "already"
      ])
    #expect(try tables.rows("tx_balance_tcp").map { $0[0] } == [0x0A60_000A])
    #expect(try tables.rows("write_dest_ip_table").count == 2)
    // Two backends with one address are one.
    let other = Tables()
    var second = UpstreamManager()
    let twice = Self.service("c", 12, [Self.endpoint(3), Self.endpoint(3, port: 54)])
    follow(&second, other, Self.intent([twice]))
    #expect(try other.rows("write_dest_ip_table") == [[17, 0x0AF4_0003, 54]])
  }

  @Test func managerGivesTheGatewayNoRoute() throws {
    let tables = Tables()
    var manager = UpstreamManager()
    follow(&manager, tables, Self.intent([], pods: [3]))
    #expect(try tables.rows("arpt_to_port_table").map { $0[0] }.contains(0xA9FE_0101))
    #expect(try !tables.rows("ipv4_to_port_table").map { $0[0] }.contains(0xA9FE_0101))
    follow(&manager, tables, Self.intent([], pods: []))
    #expect(try tables.rows("ipv4_to_port_table").map { $0[0] } == [0xC801_0102])
  }
}
