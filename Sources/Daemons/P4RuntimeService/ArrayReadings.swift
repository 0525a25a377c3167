import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// What a ReadRequest needs of the dataplane's arrays.
struct ArrayQuery: Sendable {
  /// Whole arrays of registers.
  var registers: Set<String> = []
  /// Elements of register arrays by entry.
  var elements: [Element] = []
  /// Meters whose counts of colors are asked for.
  var meters: [Element] = []
  /// Entries whose last hit is asked for, by the engine's names.
  var hits: [Element.Place] = []

  var isEmpty: Bool {
    registers.isEmpty && elements.isEmpty && meters.isEmpty && hits.isEmpty
  }

  init(_ request: P4_V1_ReadRequest, _ state: ForwardingState) {
    for entity in request.entities {
      switch entity.entity {
      case .counterEntry(let query): add(query, state)
      case .registerEntry(let query): add(query, state)
      case .tableEntry(let query):
        add(
          query, state, counters: query.hasCounterData, meters: query.hasMeterCounterData,
          hits: query.hasTimeSinceLastHit)
      case .directCounterEntry(let query):
        add(query.tableEntry, state, counters: true, meters: false, hits: false)
      case .directMeterEntry(let query):
        add(
          query.tableEntry, state, counters: false, meters: query.hasCounterData, hits: false)
      case .meterEntry(let query) where query.hasCounterData: add(query, state)
      default: break
      }
    }
  }

  private mutating func add(_ query: P4_V1_CounterEntry, _ state: ForwardingState) {
    for counter in state.program.counters.values
    where query.counterID == 0 || query.counterID == counter.id {
      registers.formUnion([counter.packets, counter.bytes].compactMap(\.self))
    }
  }

  private mutating func add(_ query: P4_V1_RegisterEntry, _ state: ForwardingState) {
    for (id, register) in state.program.registers
    where query.registerID == 0 || query.registerID == id {
      if case .success(let register) = register { registers.insert(register.registers) }
    }
  }

  private mutating func add(_ query: P4_V1_MeterEntry, _ state: ForwardingState) {
    for (id, meter) in state.program.meters where query.meterID == 0 || query.meterID == id {
      guard case .success(let meter) = meter else { continue }
      let indices = query.onlyIndex.map { [Int(clamping: $0.index)] } ?? Array(0..<meter.size)
      meters += indices.filter { (0..<meter.size).contains($0) }.map {
        Element(array: meter.meters, place: .index($0))
      }
    }
  }

  /// A query that is not good needs nothing: it is answered with its error.
  private mutating func add(
    _ query: P4_V1_TableEntry, _ state: ForwardingState, counters wantsCounters: Bool,
    meters wantsMeters: Bool, hits wantsHits: Bool
  ) {
    guard wantsCounters || wantsMeters || wantsHits,
      let tables = try? state.tables(of: query)
    else { return }
    for table in tables {
      guard let keys = try? state.selected(by: query, in: table) else { continue }
      let places = keys.map { $0.map { state.place(of: $0, in: table) } ?? .index(0) }
      if wantsCounters, case .success(let counter)? = table.directCounter {
        for array in [counter.packets, counter.bytes].compactMap(\.self) {
          elements += places.map { Element(array: array, place: $0) }
        }
      }
      if wantsMeters, case .success(let meter)? = table.directMeter {
        meters += places.map { Element(array: meter.meters, place: $0) }
      }
      if wantsHits, table.tracksHits { hits += places }
    }
  }
}

/// What the dataplane's arrays hold of it.
struct ArrayReadings: Sendable {
  var registers: [String: [UInt64]] = [:]
  var elements: [Element: UInt64] = [:]
  var meters: [Element: MeterCounts] = [:]
  /// Nanoseconds since the last hit.
  var hits: [Element.Place: UInt64] = [:]

  func register(_ array: String?, _ index: Int) -> UInt64 {
    guard let values = array.flatMap({ registers[$0] }), values.indices.contains(index) else {
      return 0
    }
    return values[index]
  }

  func element(_ array: String?, _ place: Element.Place) -> UInt64 {
    array.flatMap { elements[Element(array: $0, place: place)] } ?? 0
  }
}
