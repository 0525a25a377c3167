import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// Meters: what a Write does to them (P4Runtime 1.4, 9.4).
extension ForwardingState {
  func meter(_ id: UInt32) throws(P4Error) -> P4Program.Meter {
    guard let meter = program.meters[id] else { throw unknown("meter", id) }
    return try meter.get()
  }

  /// - Throws: ``P4Error/Code/invalidArgument`` where P4Info has none.
  func directMeter(of table: P4Program.Table) throws(P4Error) -> P4Program.DirectMeter {
    guard let meter = table.directMeter else {
      throw P4Error(.invalidArgument, "\(table.name) has no direct meter")
    }
    return try meter.get()
  }

  mutating func write(_ entry: P4_V1_MeterEntry) throws(P4Error) -> Change {
    let meter = try meter(entry.meterID)
    let only = try entry.hasIndex ? Self.index(entry.index, meter.size, meter.name) : nil
    let rates = try entry.hasConfig ? Self.rates(entry.config, meter.kind, meter.name) : nil
    if entry.hasCounterData { try Self.requireZeros(entry.counterData, meter.name) }
    var change = Change()
    for index in only.map({ $0..<$0 + 1 }) ?? 0..<meter.size {
      let element = Element(array: meter.meters, place: .index(index))
      change.steps.append(.meter(meter.id, index: index, old: meters[meter.id]?[index]))
      meters[meter.id, default: [:]][index] = rates
      change.writes.append(.meter(element, rates))
      if entry.hasCounterData { change.writes.append(.clearCounts(element)) }
    }
    return change
  }

  mutating func write(_ entry: P4_V1_DirectMeterEntry) throws(P4Error) -> Change {
    let table = try table(entry.tableEntry.tableID)
    let meter = try directMeter(of: table)
    let place = try place(of: entry.tableEntry, in: table)
    let rates = try entry.hasConfig ? Self.rates(entry.config, meter.kind, meter.name) : nil
    if entry.hasCounterData { try Self.requireZeros(entry.counterData, meter.name) }
    var change = Change()
    if entry.tableEntry.isDefaultAction {
      change.steps.append(.defaultRates(table: table.id, old: defaultRates[table.id]))
      defaultRates[table.id] = rates
    } else {
      let key = try program.key(of: entry.tableEntry, in: table)
      change.steps.append(.row(table: table.id, key: key, old: tables[table.id]?[key]))
      tables[table.id]?[key]?.rates = rates
    }
    let element = Element(array: meter.meters, place: place)
    change.writes.append(.meter(element, rates))
    if entry.hasCounterData { change.writes.append(.clearCounts(element)) }
    return change
  }

  static func rates(
    _ config: P4_V1_MeterConfig, _ kind: P4Program.MeterKind, _ name: String
  ) throws(P4Error) -> MeterRates {
    func malformed(_ why: String) -> P4Error { P4Error(.invalidArgument, "\(name): \(why)") }
    let numbers = [config.cir, config.cburst, config.pir, config.pburst]
    guard config.eburst == 0 else {
      throw malformed("eburst is for meters of one rate and three colors; leave it 0")
    }
    guard numbers.allSatisfy({ $0 >= 0 }) else { throw malformed("rates and bursts are positive") }
    guard config.cir <= config.pir else {
      throw malformed("the peak rate is below the committed one")
    }
    if kind == .singleRateTwoColor {
      guard config.pir == config.cir, config.pburst == config.cburst else {
        throw malformed("a meter of one rate has pir = cir and pburst = cburst")
      }
    }
    guard numbers.allSatisfy({ $0 > 0 }) else {
      throw P4Error(.unimplemented, "\(name): the engine has no rates and bursts of 0")
    }
    return MeterRates(
      committed: UInt64(config.cir), committedBurst: UInt64(config.cburst),
      peak: UInt64(config.pir), peakBurst: UInt64(config.pburst))
  }

  static func message(_ rates: MeterRates) -> P4_V1_MeterConfig {
    .with {
      $0.cir = Int64(clamping: rates.committed)
      $0.cburst = Int64(clamping: rates.committedBurst)
      $0.pir = Int64(clamping: rates.peak)
      $0.pburst = Int64(clamping: rates.peakBurst)
    }
  }

  /// Counts of colors can be cleared, and not set.
  static func requireZeros(
    _ data: P4_V1_MeterCounterData, _ name: String
  ) throws(P4Error) {
    guard [data.green, data.yellow, data.red].allSatisfy({ $0 == P4_V1_CounterData() }) else {
      throw P4Error(.invalidArgument, "\(name): counts of colors can be set to 0 only")
    }
  }
}
