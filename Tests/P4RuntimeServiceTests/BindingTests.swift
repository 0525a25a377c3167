import Core
import Foundation
import Hosting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// How P4Info and the spec of a pipeline are brought together at the push, and what is refused
/// there.
@Suite(.timeLimit(.minutes(15))) struct BindingTests {
  private static func route(_ key: UInt8, port: UInt8 = 1) -> P4_V1_Entity {
    .table(.row(Balancer.routes, [key], action: .call(Balancer.route, [port], [2])))
  }

  // MARK: Sizes

  /// P4Info says 1024 of a table whose program says nothing, and p4c-dpdk makes it 65,536.
  @Test func theSpecSaysHowMuchATableHolds() async throws {
    var config = try Balancer.config()
    let i = try #require(config.p4Info.tables.firstIndex { $0.preamble.id == Balancer.routes })
    config.p4Info.tables[i].size = 4
    try await TestServer.run { [config] server in
      let session = try await server.start(config)
      let all = (1...UInt8(Balancer.routesSize)).map { Self.route($0).insert }
      #expect(await server.write(all) == .ok)
      #expect(await server.code(Self.route(99).insert) == 8)
      withExtendedLifetime(session) {}
    }
  }

  /// An engine with less room than the spec says is the one that refuses, and the update is named.
  @Test(arguments: [
    (P4_V1_WriteRequest.Atomicity.continueOnError, [Int32(0), 0, 8]),
    (.rollbackOnError, [10, 10, 8]), (.dataplaneAtomic, [10, 10, 8]),
  ])
  func theEngineIsFull(
    _ atomicity: P4_V1_WriteRequest.Atomicity, _ codes: [Int32]
  ) async throws {
    try await TestServer.run(Engine.store(sizes: ["routes": 8])) { server in
      let session = try await server.start(try Balancer.config())
      #expect(await server.write((1...6).map { Self.route($0).insert }) == .ok)
      let batch = [Self.route(7), Self.route(8), Self.route(9)].map(\.insert)
      #expect(await server.write(batch, atomicity).codes == codes)
      let isKept = atomicity == .continueOnError
      #expect(try await server.read(.allTables()).count == (isKept ? 8 : 6))
      let engine = try await server.host.withDataplane { try $0.entries(of: "routes").count }
      #expect(engine == (isKept ? 8 : 6))
      withExtendedLifetime(session) {}
    }
  }

  /// Which of many it is, wherever it is.
  @Test(arguments: [0, 1, 6, 7]) func theEngineRefusesOneOfEight(_ bad: Int) async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let batch = (0..<8).map { n in
        // The engine has 1,024 ports.
        P4_V1_Entity.table(
          .row(
            Balancer.routes, [UInt8(n)],
            action: .call(Balancer.route, n == bad ? [0xFF, 0xFF] : [1], [2]))
        ).insert
      }
      let codes = (0..<8).map { $0 == bad ? Int32(11) : 10 }
      #expect(await server.write(batch, .dataplaneAtomic).codes == codes)
      #expect(try await server.readAll().isEmpty)
      withExtendedLifetime(session) {}
    }
  }

  // MARK: Names

  /// The balancer, with its action refuse called route_1: no copy of route.
  private static func lookalike() throws -> P4_V1_ForwardingPipelineConfig {
    let spec = Balancer.spec.replacing("refuse", with: "route_1")
      // As if it came before the other.
      .replacing("    route\n    route_1", with: "    route_1\n    route")
      .replacing(
        "default_action NoAction args none\n  size 0x10",
        with: "default_action route_1 args none\n  size 0x10")
    return try Pipelines.make(
      spec: spec, info: Balancer.info.replacing("refuse", with: "route_1"))
  }

  @Test func anActionWithTheNameOfACopyIsItself() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Self.lookalike())
      let own = P4_V1_Entity.table(
        .row(Balancer.routes, [2], action: .call(Balancer.refuse)))
      #expect(await server.write(Self.route(1).insert, own.insert) == .ok)
      let actions = try await server.host.withDataplane { dataplane in
        try dataplane.entries(of: "routes").map(\.action)
      }
      #expect(actions == ["route", "route_1"])
      #expect(try await server.read(.allTables()) == [Self.route(1), own])
      // What a miss runs has no argument, and is not the action that has two.
      #expect(
        try await server.read(.table(.defaultEntry(Balancer.routes)))
          == [.table(.defaultEntry(Balancer.routes, .call(Balancer.refuse)))])
      withExtendedLifetime(session) {}
    }
  }

  /// p4c-dpdk copies an action for each table that has it.
  @Test func aCopyIsItsAction() async throws {
    let spec = Balancer.spec
      .replacing("action refuse args none {", with: "action refuse_3 args none {")
      .replacing("    route\n    refuse\n", with: "    route\n    refuse_3\n")
      .replacing(
        "action NoAction args none {",
        with: "action refuse args none {\n  mov m.out_port 0x2\n  return\n}\n"
          + "action NoAction args none {")
    try await TestServer.run { server in
      let session = try await server.start(try Pipelines.make(spec: spec, info: Balancer.info))
      let row = P4_V1_Entity.table(
        .row(Balancer.routes, [1], action: .call(Balancer.refuse)))
      #expect(await server.write([row.insert]) == .ok)
      let action = try await server.host.withDataplane { try $0.entries(of: "routes")[0].action }
      #expect(action == "refuse_3")
      #expect(try await server.read(.allTables()) == [row])
      withExtendedLifetime(session) {}
    }
  }

  // MARK: What is refused

  private static func refusal(
    _ config: P4_V1_ForwardingPipelineConfig, by engine: DataplaneMaker = Engine.store
  ) async throws -> Outcome {
    let (outcomes, found) = AsyncStream<Outcome>.makeStream()
    try await TestServer.run(engine) { server in
      let session = Session(server.client)
      session.arbitrate((0, 1))
      _ = try await session.news()
      for action in [
        P4_V1_SetForwardingPipelineConfigRequest.Action.verifyAndCommit, .verifyAndSave, .verify,
      ] {
        found.yield(await server.set(action, config))
      }
      #expect(try await server.get().hasConfig == false)
    }
    found.finish()
    var all: [Outcome] = []
    for await outcome in outcomes { all.append(outcome) }
    #expect(all.count == 3 && Set(all.map(\.message)).count == 1)
    return all[0]
  }

  private static func expect(
    _ config: P4_V1_ForwardingPipelineConfig, refusedFor reason: String,
    by engine: DataplaneMaker = Engine.store, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await refusal(config, by: engine)
    #expect(outcome.code == .invalidArgument, sourceLocation: sourceLocation)
    #expect(outcome.message.contains(reason), "\(outcome)", sourceLocation: sourceLocation)
  }

  private static func changed(
    _ change: (inout P4_Config_V1_P4Info) -> Void
  ) throws -> P4_V1_ForwardingPipelineConfig {
    var config = try Balancer.config()
    change(&config.p4Info)
    return config
  }

  /// A copy whose arguments are others is no copy.
  @Test func anActionThatOnlyLooksLikeACopy() async throws {
    let spec = Balancer.spec.replacing("route args", with: "route_7 args")
      .replacing("    route\n", with: "    route_7\n")
      .replacing("args instanceof route_arg_t", with: "args instanceof port_arg_t")
      .replacing("  mov h.ethernet.dst t.mac\n", with: "")
    try await Self.expect(
      try Pipelines.make(spec: spec, info: Balancer.info),
      refusedFor: "differ in the parameters of action main.route")
  }

  /// p4c-dpdk writes them beside the spec, and nowhere into the .pb.bin.
  @Test func entriesOfTheProgram() async throws {
    try await Self.expect(
      try Self.changed { $0.tables[0].isConstTable = true },
      refusedFor: "main.routes has entries in the program")
    try await Self.expect(
      try Self.changed { $0.tables[0].hasInitialEntries_p = true },
      refusedFor: "main.routes has entries in the program")
  }

  @Test func whatTheEngineCannotMatch() async throws {
    try await Self.expect(
      try Self.changed { $0.tables[0].matchFields[0].matchType = .range },
      refusedFor: "hdr.ipv4.dst of main.routes is a range")
    try await Self.expect(
      try Self.changed { $0.tables[0].matchFields[0].bitwidth = 128 },
      refusedFor: "hdr.ipv4.dst of main.routes has 128 bits")
    try await Self.expect(
      try Self.changed { $0.actions[0].params[1].bitwidth = 65 },
      refusedFor: "parameter mac of main.route has 65 bits")
  }

  /// Their sum would be the size of every packet-out.
  @Test(arguments: [0, -1, 4096, Int32.max]) func headersOfTheController(
    _ bits: Int32
  ) async throws {
    try await Self.expect(
      try Self.changed { $0.controllerPacketMetadata[1].metadata[0].bitwidth = bits },
      refusedFor: "the fields of packet_out have \(Int(bits) + 7) bits")
  }

  #if DPDK
    @Test(arguments: ["recirculate", "mirror m.source m.hop"]) func whatThisHostDoesNotOffer(
      _ instruction: String
    ) async throws {
      let spec = Balancer.spec.replacing(
        "  tx m.out_port", with: "  \(instruction)\n  tx m.out_port")
      try await Self.expect(
        try Pipelines.make(spec: spec, info: Balancer.info),
        refusedFor: "'\(instruction.prefix { $0 != " " })' is not offered by this host",
        by: Engine.dpdk)
    }

    @Test func externs() async throws {
      try await Self.expect(
        try Pipelines.make(
          spec: Balancer.spec.replacing(
            "regarray hits_0", with: "extobj crypto instanceof ipsec\nregarray hits_0"),
          info: Balancer.info),
        refusedFor: "no external type 'ipsec'", by: Engine.dpdk)
    }
  #endif
}
