import Core
import P4RuntimeProtos

/// A pipeline under both of its names: P4Info's ids, by which a controller speaks of
/// it, and the contract's names, by which a dataplane knows it.
public struct P4Program: Sendable {
  /// One field of a table's key.
  public struct MatchField: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case exact, lpm, ternary, optional }
    public var id: UInt32
    public var name: String
    /// 1...64.
    public var bits: Int
    public var kind: Kind
  }

  public struct Parameter: Hashable, Sendable {
    public var id: UInt32
    public var name: String
    /// 1...64.
    public var bits: Int
    /// Its place among the engine's arguments.
    public var index: Int
    /// Whether it is a port of the pipeline: PNA's `PortId_t`.
    public var isPort: Bool
  }

  public struct Action: Hashable, Sendable {
    public var id: UInt32
    public var name: String
    public var parameters: [Parameter]
  }

  /// What an entry of a table may run.
  public struct ActionReference: Hashable, Sendable {
    public var id: UInt32
    public var scope: PipelineSpec.Scope
    /// The engine's action; nil if it is for misses only.
    public var engineAction: String?
  }

  /// Who writes the entries of a table.
  public enum Filling: Hashable, Sendable {
    case controller
    /// `add_on_miss`: the pipeline itself.
    case pipeline
  }

  public struct Table: Sendable {
    public var id: UInt32
    public var name: String
    /// The engine's table, or its learner.
    public var engineTable: String
    public var key: [MatchField]
    /// The engine's widths of the key's fields: whole bytes.
    public var engineBits: [Int]
    public var engineMatch: Contract.MatchKind
    public var actions: [UInt32: ActionReference]
    public var filling: Filling
    public var constantDefaultAction: UInt32?
    /// The most entries that the engine holds: the spec's number. P4Info has another where the
    /// program leaves it out.
    public var size: Int
    /// The action profile, for tables that have one.
    public var profile: UInt32?
    public var notifiesIdleTimeout: Bool
    /// nil where P4Info has none.
    public var directCounter: Result<DirectCounter, P4Error>?
    public var directMeter: Result<DirectMeter, P4Error>?
    /// Whether anything is kept of entries besides them.
    public var hasResources: Bool { directCounter != nil || directMeter != nil || tracksHits }
    /// Whether the dataplane has to say when entries were hit.
    public var tracksHits: Bool {
      notifiesIdleTimeout && filling == .controller && !key.isEmpty
    }
    public var isExact: Bool { key.allSatisfy { $0.kind == .exact } }
    /// Whether entries have a priority.
    public var hasPriority: Bool {
      key.contains { $0.kind == .ternary || $0.kind == .optional }
    }
  }

  /// An action profile, with the engine's tables that realise it.
  public struct Profile: Sendable {
    public var id: UInt32
    public var name: String
    public var hasSelector: Bool
    /// The most members of a group, or the most weight; 0 is not said.
    public var maximumGroupSize: Int
    /// P4Info's number of members.
    public var size: Int
    /// Whether a group's size is its sum of weights, rather than its number of members.
    public var countsWeights: Bool
    public var maximumMemberWeight: Int
    public var tables: [UInt32]
    /// Member id → action.
    public var memberTable: String
    public var actions: [UInt32: ActionReference]
    public var selector: Contract.Selector?
  }

  /// An indirect counter, with the registers that count.
  public struct Counter: Sendable {
    public var id: UInt32
    public var name: String
    public var size: Int
    public var packets: String?
    public var bytes: String?
  }

  public let info: P4_Config_V1_P4Info
  /// With the tables marked whose hits have to be tracked.
  public internal(set) var spec: PipelineSpec
  public let contract: Contract
  /// P4Info's actions as the spec calls them.
  var ownNames: Set<String> = []
  public internal(set) var tables: [UInt32: Table] = [:]
  public internal(set) var actions: [UInt32: Action] = [:]
  public internal(set) var profiles: [UInt32: Profile] = [:]
  public internal(set) var counters: [UInt32: Counter] = [:]
  public internal(set) var meters: [UInt32: Result<Meter, P4Error>] = [:]
  public internal(set) var registers: [UInt32: Result<Register, P4Error>] = [:]

  /// Whether the dataplane has to say of any table when its entries were hit.
  public var tracksHits: Bool { spec.tables.contains(where: \.tracksHits) }

  public func table(named name: String) -> Table? {
    tables.values.first { $0.name == name || $0.engineTable == name }
  }

  /// - Parameter name: with or without its scope.
  public func counter(named name: String) -> Counter? {
    counters.values.first { $0.name == name || $0.name.hasSuffix(".\(name)") }
  }

  /// Binds P4Info to the pipeline that the compiler made of the same program.
  ///
  /// - Throws: ``P4Error/Code/invalidArgument`` naming what does not fit together.
  public init(info: P4_Config_V1_P4Info, spec: PipelineSpec) throws(P4Error) {
    self.info = info
    self.spec = spec
    contract = spec.contract
    try bindActions()
    try bindProfiles()
    try bindTables()
    try bindCounters()
    bindDirectResources()
    bindMeters()
    bindRegisters()
    for i in self.spec.tables.indices {
      let table = tables.values.first { $0.engineTable == self.spec.tables[i].name }
      self.spec.tables[i].tracksHits = table?.tracksHits == true
    }
  }
}
