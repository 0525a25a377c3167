import Foundation
import Hosting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Whatever controllers ask for, the server answers; what it holds is what its engine has, and what
/// its journal makes again.
@Suite(.timeLimit(.minutes(15))) struct RandomRequestTests {
  @Test(arguments: [UInt64(1), 2, 3]) func anyRequests(_ seed: UInt64) async throws {
    try await Self.run(try Balancer.config(), seed, on: Engine.store) { server in
      for table in ["routes", "vips", "via", "fixed"] {
        let id = try Balancer.config().p4Info.tables.first { $0.preamble.alias == table }?.preamble
          .id
        let engine = try await server.host.withDataplane { try $0.entries(of: table).count }
        #expect(try await server.read(.table(.row(id ?? 0))).count == engine, "\(table)")
      }
    }
  }

  #if DPDK
    /// Direct counters, meters, registers, prefixes, masks, idle timeouts.
    @Test(arguments: [UInt64(1), 2]) func anyRequestsOnDPDK(_ seed: UInt64) async throws {
      try await Self.run(try Border().config, seed, on: Engine.dpdk)
    }
  #endif

  private static func run(
    _ config: P4_V1_ForwardingPipelineConfig, _ seed: UInt64, on engine: DataplaneMaker,
    _ check: @Sendable @escaping (TestServer) async throws -> Void = { _ in }
  ) async throws {
    let journal = MemoryJournal()
    let packets = RecordedPackets()
    let (states, found) = AsyncStream<[P4_V1_Entity]>.makeStream()
    try await TestServer.run(engine, packets: packets, journal: journal) { server in
      let session = try await server.start(config)
      var random = RandomRequests(info: config.p4Info, seed: seed)
      var good = 0
      for _ in 0..<400 {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<11:
          let outcome = await server.write(random.updates(), random.atomicity())
          good += outcome.isOK ? 1 : outcome.codes.count { $0 == 0 }
          #expect(outcome.code != .internalError, "\(outcome)")
        case 11..<17:
          let (_, outcome) = await server.read(random.queries())
          #expect(outcome.code != .internalError, "\(outcome)")
        case 17, 18: session.send(random.message())
        default:
          let action: P4_V1_SetForwardingPipelineConfigRequest.Action =
            [.verify, .reconcileAndCommit, .verifyAndSave, .commit].randomElement(using: &random)
            ?? .verify
          _ = await server.set(action, action == .commit ? nil : config)
        }
      }
      // Most requests have a mistake, not all.
      #expect(good > 30, "\(good)")
      if await server.set(.commit).isOK { #expect(await journal.commits > 1) }
      try await check(server)
      found.yield(try await server.readAll())
      withExtendedLifetime(session) {}
    }
    packets.finish()
    try await TestServer.run(engine) { server in
      let kept = try #require(await journal.config)
      try await server.controller.restore(kept, updates: await journal.updates)
      found.yield(try await server.readAll())
    }
    found.finish()
    var all: [[P4_V1_Entity]] = []
    for await state in states { all.append(state) }
    #expect(all.count == 2 && all[0] == all[1])
  }
}

/// Requests about what a P4Info has, most of them with something wrong; the same for a seed.
private struct RandomRequests: RandomNumberGenerator {
  let info: P4_Config_V1_P4Info
  private var state: UInt64

  init(info: P4_Config_V1_P4Info, seed: UInt64) {
    self.info = info
    state = seed
  }

  mutating func next() -> UInt64 {
    // SplitMix64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private mutating func happens(oneIn count: Int) -> Bool {
    Int.random(in: 0..<count, using: &self) == 0
  }

  private mutating func one<Item>(of items: [Item], or other: Item) -> Item {
    happens(oneIn: 25) ? other : items.randomElement(using: &self) ?? other
  }

  /// A small number as it may be written.
  private mutating func bytes() -> Data {
    if happens(oneIn: 30) {
      return Data((0..<Int.random(in: 0...40, using: &self)).map { _ in 0xFF })
    }
    let padding = Data(count: happens(oneIn: 4) ? 2 : 0)
    return padding + [UInt8.random(in: 0...7, using: &self)]
  }

  mutating func updates() -> [P4_V1_Update] {
    (0..<Int.random(in: 0...5, using: &self)).map { _ in
      .with {
        $0.type = one(of: [.insert, .insert, .modify, .delete], or: .unspecified)
        $0.entity = entity()
      }
    }
  }

  mutating func queries() -> [P4_V1_Entity] {
    (0..<Int.random(in: 0...3, using: &self)).map { _ in
      happens(oneIn: 3) ? .allTables() : entity()
    }
  }

  mutating func atomicity() -> P4_V1_WriteRequest.Atomicity {
    one(of: [.continueOnError, .rollbackOnError, .dataplaneAtomic], or: .UNRECOGNIZED(9))
  }

  mutating func message() -> P4_V1_StreamMessageRequest {
    .with { message in
      switch Int.random(in: 0..<4, using: &self) {
      case 0: message.digestAck.digestID = UInt32.random(in: 0...3, using: &self)
      case 1: message.other.typeURL = "type.googleapis.com/any"
      default:
        message.packet.payload = Data(count: Int.random(in: 0...100, using: &self))
        for _ in 0..<Int.random(in: 0...3, using: &self) {
          message.packet.metadata.append(
            .with {
              $0.metadataID = UInt32.random(in: 0...3, using: &self)
              $0.value = bytes()
            })
        }
      }
    }
  }

  private mutating func entity() -> P4_V1_Entity {
    .with { entity in
      switch Int.random(in: 0..<24, using: &self) {
      case 0..<11: entity.tableEntry = tableEntry()
      case 11, 12: entity.actionProfileMember = member()
      case 13, 14: entity.actionProfileGroup = group()
      case 15:
        entity.counterEntry = .with {
          $0.counterID = one(of: info.counters.map(\.preamble.id), or: 0)
          if !happens(oneIn: 3) { $0.index = index() }
          if !happens(oneIn: 3) { $0.data = counts() }
        }
      case 16:
        entity.directCounterEntry = .with {
          $0.tableEntry = tableEntry()
          if !happens(oneIn: 3) { $0.data = counts() }
        }
      case 17:
        entity.meterEntry = .with {
          $0.meterID = one(of: info.meters.map(\.preamble.id), or: 0)
          if !happens(oneIn: 3) { $0.index = index() }
          if !happens(oneIn: 3) { $0.config = rates() }
          if happens(oneIn: 3) { $0.counterData = .init() }
        }
      case 18:
        entity.directMeterEntry = .with {
          $0.tableEntry = tableEntry()
          if !happens(oneIn: 3) { $0.config = rates() }
          if happens(oneIn: 3) { $0.counterData = .init() }
        }
      case 19:
        entity.registerEntry = .with {
          $0.registerID = one(of: info.registers.map(\.preamble.id), or: 0)
          if !happens(oneIn: 3) { $0.index = index() }
          if !happens(oneIn: 4) { $0.data.bitstring = bytes() }
        }
      case 20: entity.packetReplicationEngineEntry = .with { $0.multicastGroupEntry = .init() }
      case 21: entity.valueSetEntry.valueSetID = UInt32.random(in: 0...2, using: &self)
      case 22: entity.digestEntry.digestID = UInt32.random(in: 0...2, using: &self)
      default:
        if happens(oneIn: 2) { entity.externEntry.externTypeID = 7 }
      }
    }
  }

  private mutating func index() -> P4_V1_Index {
    .with {
      $0.index = one(of: [0, 1, 7, 49], or: [-1, 50, .max].randomElement(using: &self) ?? 0)
    }
  }

  private mutating func counts() -> P4_V1_CounterData {
    .with {
      $0.packetCount = one(of: [0, 1, 1 << 40], or: -1)
      $0.byteCount = one(of: [0, 1, .max], or: .min)
    }
  }

  private mutating func rates() -> P4_V1_MeterConfig {
    .with {
      $0.cir = one(of: [1, 1000], or: 0)
      $0.cburst = one(of: [1, 1000], or: -1)
      $0.pir = one(of: [1000, 2000], or: 0)
      $0.pburst = one(of: [1000, 2000], or: .max)
    }
  }

  private mutating func tableEntry() -> P4_V1_TableEntry {
    guard let table = info.tables.randomElement(using: &self) else { return .init() }
    return .with { entry in
      entry.tableID = one(of: [table.preamble.id], or: 0)
      entry.isDefaultAction = happens(oneIn: 12)
      let hasPriority = table.matchFields.contains {
        ![.exact, .lpm].contains($0.matchType)
      }
      entry.priority = one(of: [hasPriority ? Int32.random(in: 1...3, using: &self) : 0], or: -1)
      if !entry.isDefaultAction || happens(oneIn: 6) {
        for field in table.matchFields where !happens(oneIn: 20) {
          entry.match.append(match(field))
        }
      }
      if !happens(oneIn: 6) { entry.action = action(of: table) }
      if happens(oneIn: 8) { entry.metadata = bytes() }
      if happens(oneIn: 8) { entry.controllerMetadata = 3 }
      if happens(oneIn: 8) { entry.idleTimeoutNs = one(of: [1, 1_000_000_000, .max], or: -1) }
      if happens(oneIn: 8) { entry.counterData = counts() }
      if happens(oneIn: 8) { entry.meterConfig = rates() }
      if happens(oneIn: 20) { entry.meterCounterData = .init() }
      if happens(oneIn: 20) { entry.timeSinceLastHit = .init() }
      entry.isConst = happens(oneIn: 60)
    }
  }

  private mutating func match(_ field: P4_Config_V1_MatchField) -> P4_V1_FieldMatch {
    .with { match in
      match.fieldID = one(of: [field.id], or: 9)
      switch one(of: [field.matchType], or: [.range, .ternary].randomElement(using: &self) ?? .lpm)
      {
      case .exact: match.exact.value = bytes()
      case .lpm:
        match.lpm.value = bytes()
        match.lpm.prefixLen = one(of: [field.bitwidth], or: -1)
      case .ternary:
        match.ternary.value = bytes()
        match.ternary.mask = one(of: [Data([7])], or: Data([0]))
      case .optional: match.optional.value = bytes()
      default: match.range = .init()
      }
    }
  }

  private mutating func call(_ id: UInt32) -> P4_V1_Action {
    let parameters = info.actions.first { $0.preamble.id == id }?.params ?? []
    return .with { action in
      action.actionID = one(of: [id], or: 999)
      for parameter in parameters where !happens(oneIn: 30) {
        action.params.append(
          .with {
            $0.paramID = one(of: [parameter.id], or: 9)
            $0.value = bytes()
          })
      }
    }
  }

  private mutating func action(of table: P4_Config_V1_Table) -> P4_V1_TableAction {
    let id = table.actionRefs.randomElement(using: &self)?.id ?? 0
    return .with { action in
      let isIndirect = table.implementationID != 0
      switch one(of: isIndirect ? [1, 2, 3] : [0], or: Int.random(in: 0...4, using: &self)) {
      case 0: action.action = call(id)
      case 1: action.actionProfileMemberID = UInt32.random(in: 0...3, using: &self)
      case 2: action.actionProfileGroupID = UInt32.random(in: 0...3, using: &self)
      case 3:
        for _ in 0..<Int.random(in: 0...2, using: &self) {
          action.actionProfileActionSet.actionProfileActions.append(
            .with {
              $0.action = call(id)
              $0.weight = one(of: [1, 2], or: 0)
            })
        }
      default: break
      }
    }
  }

  private mutating func member() -> P4_V1_ActionProfileMember {
    let profile = info.actionProfiles.randomElement(using: &self)
    let table = info.tables.first { profile?.tableIds.contains($0.preamble.id) == true }
    let id = table?.actionRefs.randomElement(using: &self)?.id ?? 0
    return .with {
      $0.actionProfileID = one(of: [profile?.preamble.id ?? 0], or: 0)
      $0.memberID = UInt32.random(in: 0...3, using: &self)
      $0.action = call(id)
    }
  }

  private mutating func group() -> P4_V1_ActionProfileGroup {
    .with { group in
      group.actionProfileID = one(of: info.actionProfiles.map(\.preamble.id), or: 0)
      group.groupID = UInt32.random(in: 0...3, using: &self)
      group.maxSize = one(of: [8], or: [0, -1, .max].randomElement(using: &self) ?? 0)
      for _ in 0..<Int.random(in: 0...3, using: &self) {
        group.members.append(
          .with {
            $0.memberID = UInt32.random(in: 0...3, using: &self)
            $0.weight = one(of: [1, 2], or: [0, -1, .max].randomElement(using: &self) ?? 0)
            if happens(oneIn: 20) { $0.watchPort = Data([1]) }
          })
      }
    }
  }
}
