import Testing

@testable import Core

/// A compiler that goes on where another one ended of which only the rows are left.
@Suite struct ProgrammedStateTests {
  @Test func theLongestGapIsAhead() {
    #expect(Ring.beforeLongestGap(in: [], of: 128) == nil)
    #expect(Ring.beforeLongestGap(in: [0], of: 128) == 0)
    #expect(Ring.beforeLongestGap(in: [3, 4, 9], of: 128) == 9)
    #expect(Ring.beforeLongestGap(in: [126, 127, 0, 2], of: 128) == 2)
    #expect(Ring.beforeLongestGap(in: [5, 0xFFFF_FFF0], of: 1 << 32) == 5)
    #expect(Ring.beforeLongestGap(in: [0xFFFF_FFFF, 0], of: 1 << 32) == 0)
  }

  @Test func idsGoOnAfterTheLastOne() {
    var ids = IDAllocator(after: [1, 900, 7])
    #expect(!ids.hasWrapped && ids.next(live: []) == 901)
    // Another one has started over before.
    ids = IDAllocator(after: [0xFFFF_FFFE, 3, 1])
    #expect(ids.hasWrapped && ids.next(live: [4]) == 5)
  }

  /// Whatever was programmed: endpoints stay where they are, and the rows become those that the
  /// next compiler says.
  @Test(arguments: 0..<24) func randomStates(seed: UInt64) throws {
    var walk = RandomIntent(seed: seed)
    var compiler = IntentCompiler()
    var accepted = Intent()
    for _ in 0..<60 {
      walk.step()
      do {
        _ = try compiler.updates(for: walk.intent)
        accepted = walk.intent
      } catch { walk.intent = accepted }
    }
    var model = TableModel()
    model.apply(compiler.entries.map { .insert($0) }, checked: true)
    let programmed = ProgrammedState(compiler.entries.shuffled(using: &walk.random))

    // Weights are not in the rows, nor are endpoints that take no new flow.
    for index in accepted.services.indices {
      for port in accepted.services[index].ports.indices {
        accepted.services[index].ports[port].endpoints.removeAll { $0.weight == 0 }
        for endpoint in accepted.services[index].ports[port].endpoints.indices {
          accepted.services[index].ports[port].endpoints[endpoint].weight = 1
        }
      }
    }
    let interfaces = ([accepted.gateway, accepted.host] + accepted.pods).compactMap { $0 }
    #expect(programmed.interfaces.map(\.ip) == interfaces.map(\.ip).sorted())
    #expect(programmed.interfaces.map(\.port) == interfaces.sorted { $0.ip < $1.ip }.map(\.port))

    var next = IntentCompiler(resuming: programmed)
    _ = try next.updates(for: accepted)
    let before = model
    model.apply(programmed.updates(to: next.entries), checked: true)
    #expect(model.dangling() == nil)
    IntentSpecification(intent: accepted).check(model)
    for (key, row) in model[.endpoints] {
      #expect(before[.endpoints][key]?.arguments.prefix(2) == row.arguments.prefix(2))
    }
    for (key, row) in model[.services] {
      #expect(before[.services][key]?.arguments[0] == row.arguments[0])
    }
    #expect(try next.updates(for: accepted).isEmpty)
    model.apply(try next.updates(for: Intent()), checked: true)
    #expect(model.isEmpty)
  }

  @Test func rowsOfOthersDoNoHarm() throws {
    let address = IPv4Address(0x0A60_0001)
    let programmed = ProgrammedState([
      TableEntry(table: "other", key: [1], action: "route_hop", arguments: [1, 2, 3]),
      TableEntry(table: "routes", key: [], action: "route_hop", arguments: []),
      // Two Services with one id, and one endpoint for both.
      K8sDP.service(address, port: 80, transport: .tcp, id: 4, mask: 3),
      K8sDP.service(address, port: 81, transport: .tcp, id: 4, mask: 3),
      K8sDP.slots(
        service: 4, row: 0,
        [
          .init(endpoint: 6, epoch: 0), .init(endpoint: 6, epoch: 0),
          .init(endpoint: 7, epoch: 127), .init(endpoint: 0, epoch: 0),
        ]),
      K8sDP.endpoint(6, address: IPv4Address(0x0A00_0001), port: 8080, .host),
    ])
    var compiler = IntentCompiler(resuming: programmed)
    let endpoints = [Intent.Endpoint(address: IPv4Address(0x0A00_0001), port: 8080)]
    _ = try compiler.updates(
      for: Intent(services: [
        Intent.Service(
          name: "web", clusterIP: address,
          ports: [80, 81].map { .init(transport: .tcp, port: $0, endpoints: endpoints) })
      ]))
    let ids = compiler.entries.filter { $0.table == "endpoints" }.flatMap(\.key)
    #expect(ids == [6, 8])
    #expect(
      Set(compiler.entries.filter { $0.table == "services" }.map { $0.arguments[0] }) == [4, 5])
    #expect(programmed.services[ServiceAddress(address, .tcp, 80)] == endpoints)
  }
}
