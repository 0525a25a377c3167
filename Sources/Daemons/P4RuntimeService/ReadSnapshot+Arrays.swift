import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// Answers about counters, meters and registers (P4Runtime 1.4, 9.1, 9.3, 9.4 and 9.7).
extension ReadSnapshot {
  typealias Answer = AnySequence<P4_V1_Entity>

  func answer(_ query: P4_V1_CounterEntry) throws(P4Error) -> Answer {
    let counters: [P4Program.Counter]
    if query.counterID == 0 {
      counters = program.counters.values.sorted { $0.id < $1.id }
    } else {
      guard let counter = program.counters[query.counterID] else {
        throw state.unknown("counter", query.counterID)
      }
      counters = [counter]
    }
    return try indexed(counters, query.onlyIndex, \.size, \.name) {
      counter, index in
      .with {
        $0.counterEntry.counterID = counter.id
        $0.counterEntry.index.index = Int64(index)
        $0.counterEntry.data = Self.counts(
          packets: arrays.register(counter.packets, index),
          bytes: arrays.register(counter.bytes, index))
      }
    }
  }

  func answer(_ query: P4_V1_RegisterEntry) throws(P4Error) -> Answer {
    let registers =
      query.registerID == 0
      ? program.registers.values.compactMap { try? $0.get() }.sorted { $0.id < $1.id }
      : [try state.register(query.registerID)]
    return try indexed(registers, query.onlyIndex, \.size, \.name) {
      register, index in
      .with {
        $0.registerEntry.registerID = register.id
        $0.registerEntry.index.index = Int64(index)
        $0.registerEntry.data.bitstring = Bytestring.canonical(
          arrays.register(register.registers, index) & register.maximum)
      }
    }
  }

  func answer(_ query: P4_V1_MeterEntry) throws(P4Error) -> Answer {
    let meters =
      query.meterID == 0
      ? program.meters.values.compactMap { try? $0.get() }.sorted { $0.id < $1.id }
      : [try state.meter(query.meterID)]
    return try indexed(meters, query.onlyIndex, \.size, \.name) {
      meter, index in
      .with {
        $0.meterEntry.meterID = meter.id
        $0.meterEntry.index.index = Int64(index)
        if let rates = state.meters[meter.id]?[index] {
          $0.meterEntry.config = ForwardingState.message(rates)
        }
        if query.hasCounterData {
          let element = Element(array: meter.meters, place: .index(index))
          $0.meterEntry.counterData = Self.message(arrays.meters[element] ?? MeterCounts())
        }
      }
    }
  }

  /// One entity an element, of one index or all.
  private func indexed<Resource>(
    _ resources: [Resource], _ index: P4_V1_Index?, _ size: KeyPath<Resource, Int>,
    _ name: KeyPath<Resource, String>, _ entity: @escaping (Resource, Int) -> P4_V1_Entity
  ) throws(P4Error) -> Answer {
    var all: [Answer] = []
    for resource in resources {
      var indices = 0..<resource[keyPath: size]
      if let index {
        let only = try ForwardingState.index(
          index, resource[keyPath: size], resource[keyPath: name])
        indices = only..<only + 1
      }
      all.append(Answer(indices.lazy.map { entity(resource, $0) }))
    }
    return Answer(all.lazy.joined())
  }

  func answer(_ query: P4_V1_DirectCounterEntry) throws(P4Error) -> Answer {
    var all: [Answer] = []
    for table in try state.tables(of: query.tableEntry) {
      // Of all tables, those that have one.
      if query.tableEntry.tableID == 0, (try? state.directCounter(of: table)) == nil { continue }
      let counter = try state.directCounter(of: table)
      let keys = try state.selected(by: query.tableEntry, in: table)
      all.append(
        Answer(
          keys.lazy.map { key in
            let place = key.map { state.place(of: $0, in: table) } ?? .index(0)
            return .with {
              $0.directCounterEntry.tableEntry = message(key, table)
              $0.directCounterEntry.data = Self.counts(
                packets: arrays.element(counter.packets, place),
                bytes: arrays.element(counter.bytes, place))
            }
          }))
    }
    return Answer(all.lazy.joined())
  }

  func answer(_ query: P4_V1_DirectMeterEntry) throws(P4Error) -> Answer {
    var all: [Answer] = []
    for table in try state.tables(of: query.tableEntry) {
      if query.tableEntry.tableID == 0, (try? state.directMeter(of: table)) == nil { continue }
      let meter = try state.directMeter(of: table)
      let keys = try state.selected(by: query.tableEntry, in: table)
      all.append(
        Answer(
          keys.lazy.map { key in
            let rates =
              key.map { state.tables[table.id]?[$0]?.rates } ?? state.defaultRates[table.id]
            let place = key.map { state.place(of: $0, in: table) } ?? .index(0)
            return .with {
              $0.directMeterEntry.tableEntry = message(key, table)
              if let rates { $0.directMeterEntry.config = ForwardingState.message(rates) }
              if query.hasCounterData {
                let element = Element(array: meter.meters, place: place)
                $0.directMeterEntry.counterData = Self.message(
                  arrays.meters[element] ?? MeterCounts())
              }
            }
          }))
    }
    return Answer(all.lazy.joined())
  }

  /// What identifies an entry; nil is the default entry.
  private func message(_ key: MatchKey?, _ table: P4Program.Table) -> P4_V1_TableEntry {
    .with {
      $0.tableID = table.id
      guard let key else {
        $0.isDefaultAction = true
        return
      }
      $0.match = program.match(key, in: table)
      $0.priority = key.priority
    }
  }

  /// Adds the fields that a query has set.
  func addResources(
    to entry: inout P4_V1_TableEntry, _ query: P4_V1_TableEntry, _ table: P4Program.Table,
    _ place: Element.Place, _ rates: MeterRates?
  ) {
    if query.hasCounterData, case .success(let counter)? = table.directCounter {
      entry.counterData = Self.counts(
        packets: arrays.element(counter.packets, place),
        bytes: arrays.element(counter.bytes, place))
    }
    if case .success(let meter)? = table.directMeter {
      if query.hasMeterConfig, let rates { entry.meterConfig = ForwardingState.message(rates) }
      if query.hasMeterCounterData {
        let element = Element(array: meter.meters, place: place)
        entry.meterCounterData = Self.message(arrays.meters[element] ?? MeterCounts())
      }
    }
    if query.hasTimeSinceLastHit, table.tracksHits, !entry.isDefaultAction {
      entry.timeSinceLastHit.elapsedNs = Int64(clamping: arrays.hits[place] ?? 0)
    }
  }

  private static func counts(packets: UInt64, bytes: UInt64) -> P4_V1_CounterData {
    .with {
      $0.packetCount = Int64(truncatingIfNeeded: packets)
      $0.byteCount = Int64(truncatingIfNeeded: bytes)
    }
  }

  private static func message(_ counts: MeterCounts) -> P4_V1_MeterCounterData {
    .with {
      $0.green = Self.counts(packets: counts.green.packets, bytes: counts.green.bytes)
      $0.yellow = Self.counts(packets: counts.yellow.packets, bytes: counts.yellow.bytes)
      $0.red = Self.counts(packets: counts.red.packets, bytes: counts.red.bytes)
    }
  }
}

// Of all arrays (id 0) a query takes all elements, whatever its index says (P4Runtime 1.4, 9.3).

extension P4_V1_CounterEntry {
  var onlyIndex: P4_V1_Index? { counterID != 0 && hasIndex ? index : nil }
}

extension P4_V1_MeterEntry {
  var onlyIndex: P4_V1_Index? { meterID != 0 && hasIndex ? index : nil }
}

extension P4_V1_RegisterEntry {
  var onlyIndex: P4_V1_Index? { registerID != 0 && hasIndex ? index : nil }
}
