import Core

/// The control side of a dataplane for any spec: it keeps and checks entries as the
/// real ones do, and forwards nothing.
///
/// Arguments named `port` are ports, of which there are 1,024.
public final class StoreDataplane: Dataplane {
  public let name = "store"
  public let contract: Contract
  public let clock = EngineClock.model
  private var store: TableStore
  private var values: [String: [UInt64]]
  private var learned: [LearnedEntry] = []
  public private(set) var groups: [String: [UInt32: [GroupMember]]] = [:]
  public private(set) var misses: [String: String] = [:]

  public init(spec: PipelineSpec) {
    contract = spec.contract
    store = TableStore(contract: contract)
    values = Dictionary(
      spec.registers.map { ($0.name, [UInt64](repeating: $0.initial, count: $0.size)) },
      uniquingKeysWith: { first, _ in first })
  }

  public func apply(_ updates: [Update]) throws(DataplaneError) {
    let changes = try store.commit(updates) { [contract] entry in
      let arguments = contract.actions[entry.action]?.arguments ?? []
      for (field, value) in zip(arguments, entry.arguments) where field.name == "port" {
        if value >= 1024 {
          return DataplaneError(.outOfRange, entry.table, "port \(value) does not exist")
        }
      }
      return nil
    }
    for change in changes {
      switch change {
      case .setGroup(let selector, let group, let members):
        groups[selector, default: [:]][group] = members
      case .setDefault(let table, let action, _): misses[table] = action
      case .resetDefault(let table): misses[table] = nil
      case .set, .delete: break
      }
    }
  }

  public func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    try store.entries(of: table)
  }

  public func setTimer(_ profile: Int, seconds: UInt32) {}
  public func process(
    _ frame: inout [UInt8], port: PortID, at time: Timestamp
  ) -> Verdict { .drop(.pipeline) }
  public func process(_ batch: borrowing FrameBatch, at time: Timestamp) {}

  /// Puts an entry into a learner, as a frame would.
  public func learn(_ entry: LearnedEntry) { learned.append(entry) }
  public func learnedEntries(at time: Timestamp) -> [LearnedEntry] {
    learned.filter { $0.expiry > clock.cycles(at: time) }.sorted()
  }

  /// How many parts of the learned entries were asked for.
  public private(set) var partsRead = 0

  public func learnedEntries(at time: Timestamp, part: Int, of parts: Int) -> [LearnedEntry] {
    partsRead += 1
    return learnedEntries(at: time).enumerated().filter { $0.offset % parts == part }.map(\.element)
  }

  public func counters() -> Counters { Counters() }

  public func registers(_ name: String) throws(DataplaneError) -> [UInt64] {
    guard let values = values[name] else {
      throw DataplaneError(.notFound, name, "no such register array")
    }
    return values
  }

  public func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {
    guard values[name]?.indices.contains(index) == true else {
      throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register")
    }
    values[name]?[index] = value
  }
}
