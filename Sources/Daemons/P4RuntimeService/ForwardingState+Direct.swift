import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// Direct resources as fields of table entries (P4Runtime 1.4, 9.1, "Direct Resources").
extension ForwardingState {
  /// Takes over what an INSERT or MODIFY says of an entry's counter and meter.
  func setResources(
    _ type: P4_V1_Update.TypeEnum, _ entry: P4_V1_TableEntry, _ table: P4Program.Table,
    _ key: MatchKey, _ row: inout Row, _ change: inout Change
  ) throws(P4Error) {
    guard
      table.hasResources || entry.hasCounterData || entry.hasMeterConfig
        || entry.hasMeterCounterData
    else { return }
    var action = ""
    if case .call(let call) = row.action { action = program.engineEntry(table, key, call).action }
    try setResources(
      type, entry, table, place(of: key, in: table), action, &row.rates, &change)
    if type == .insert, table.tracksHits {
      change.writes.append(
        .hit(table: table.engineTable, key: program.engineKey(key, in: table)))
    }
  }

  /// - Parameter action: the engine's; empty for one that is for misses only.
  mutating func setDefaultResources(
    _ entry: P4_V1_TableEntry, _ table: P4Program.Table, _ action: String,
    _ change: inout Change
  ) throws(P4Error) {
    let original = program.spec.tables.first { $0.name == table.engineTable }?.defaultAction.name
    var rates = defaultRates[table.id]
    try setResources(
      .modify, entry, table, .index(0), action.isEmpty ? original ?? "" : action, &rates, &change)
    setDefaultRates(rates, table, &change)
  }

  /// A default entry that is as in the program again has its resources so, too.
  mutating func resetDefaultResources(
    _ entry: P4_V1_TableEntry, _ table: P4Program.Table, _ change: inout Change
  ) throws(P4Error) {
    guard !entry.hasCounterData, !entry.hasMeterConfig, !entry.hasMeterCounterData else {
      throw P4Error(
        .invalidArgument,
        "\(table.name): a default entry that is reset takes no counts and rates; give it an action")
    }
    var rates: MeterRates?
    try setResources(.insert, entry, table, .index(0), "", &rates, &change)
    setDefaultRates(nil, table, &change)
  }

  private mutating func setDefaultRates(
    _ rates: MeterRates?, _ table: P4Program.Table, _ change: inout Change
  ) {
    guard rates != defaultRates[table.id] else { return }
    change.steps.append(.defaultRates(table: table.id, old: defaultRates[table.id]))
    defaultRates[table.id] = rates
  }

  private func setResources(
    _ type: P4_V1_Update.TypeEnum, _ entry: P4_V1_TableEntry, _ table: P4Program.Table,
    _ place: Element.Place, _ action: String, _ rates: inout MeterRates?, _ change: inout Change
  ) throws(P4Error) {
    if entry.hasCounterData {
      let counter = try directCounter(of: table)
      try require(action, among: counter.actions, counter.name)
      change.writes += try Self.writes(entry.counterData, counter, place)
    } else if type == .insert, case .success(let counter)? = table.directCounter {
      change.writes += try Self.writes(P4_V1_CounterData(), counter, place)
    }
    if entry.hasMeterConfig || entry.hasMeterCounterData {
      let meter = try directMeter(of: table)
      try require(action, among: meter.actions, meter.name)
    }
    guard case .success(let meter)? = table.directMeter else { return }
    let element = Element(array: meter.meters, place: place)
    rates = try entry.hasMeterConfig ? Self.rates(entry.meterConfig, meter.kind, meter.name) : nil
    change.writes.append(.meter(element, rates))
    if entry.hasMeterCounterData {
      try Self.requireZeros(entry.meterCounterData, meter.name)
    }
    if entry.hasMeterCounterData || type == .insert {
      change.writes.append(.clearCounts(element))
    }
  }

  private func require(
    _ action: String, among actions: Set<String>, _ name: String
  ) throws(P4Error) {
    guard actions.contains(action) else {
      throw P4Error(.invalidArgument, "the action of the entry does not use \(name)")
    }
  }
}
