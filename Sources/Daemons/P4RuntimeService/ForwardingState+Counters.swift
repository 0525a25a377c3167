import Core
import P4RuntimeCodec
import P4RuntimeProtos

/// Counters and registers: what a Write does to them (P4Runtime 1.4, 9.3 and 9.7).
extension ForwardingState {
  /// - Throws: ``P4Error/Code/invalidArgument`` where P4Info has none.
  func directCounter(of table: P4Program.Table) throws(P4Error) -> P4Program.DirectCounter {
    guard let counter = table.directCounter else {
      throw P4Error(.invalidArgument, "\(table.name) has no direct counter")
    }
    return try counter.get()
  }

  func register(_ id: UInt32) throws(P4Error) -> P4Program.Register {
    guard let register = program.registers[id] else { throw unknown("register", id) }
    return try register.get()
  }

  mutating func write(_ entry: P4_V1_CounterEntry) throws(P4Error) -> Change {
    guard let counter = program.counters[entry.counterID] else {
      throw unknown("counter", entry.counterID)
    }
    let index = try entry.hasIndex ? Self.index(entry.index, counter.size, counter.name) : nil
    guard entry.hasData else { return Change() }
    try Self.refuseNegative(entry.data, counter.name)
    func write(_ array: String, _ value: Int64) -> ArrayWrite {
      index.map { .register(Element(array: array, place: .index($0)), UInt64(value)) }
        ?? .registers(array, UInt64(value))
    }
    var change = Change()
    if let array = counter.packets { change.writes.append(write(array, entry.data.packetCount)) }
    if let array = counter.bytes { change.writes.append(write(array, entry.data.byteCount)) }
    return change
  }

  mutating func write(_ entry: P4_V1_DirectCounterEntry) throws(P4Error) -> Change {
    let table = try table(entry.tableEntry.tableID)
    let counter = try directCounter(of: table)
    let place = try place(of: entry.tableEntry, in: table)
    guard entry.hasData else { return Change() }
    var change = Change()
    change.writes = try Self.writes(entry.data, counter, place)
    return change
  }

  mutating func write(_ entry: P4_V1_RegisterEntry) throws(P4Error) -> Change {
    let register = try register(entry.registerID)
    let index = try entry.hasIndex ? Self.index(entry.index, register.size, register.name) : nil
    guard case .bitstring(let bytes)? = entry.data.data else {
      throw P4Error(.invalidArgument, "\(register.name) takes a bitstring")
    }
    guard let value = Bytestring.value(bytes, bits: register.bits) else {
      throw P4Error(.outOfRange, "\(register.name): a number of \(register.bits) bits, please")
    }
    var change = Change()
    change.writes = [
      index.map { .register(Element(array: register.registers, place: .index($0)), value) }
        ?? .registers(register.registers, value)
    ]
    return change
  }

  static func writes(
    _ data: P4_V1_CounterData, _ counter: P4Program.DirectCounter, _ place: Element.Place
  ) throws(P4Error) -> [ArrayWrite] {
    try refuseNegative(data, counter.name)
    return [(counter.packets, data.packetCount), (counter.bytes, data.byteCount)].compactMap {
      array, count in
      array.map { .register(Element(array: $0, place: place), UInt64(count)) }
    }
  }

  private static func refuseNegative(
    _ data: P4_V1_CounterData, _ name: String
  ) throws(P4Error) {
    guard data.packetCount >= 0, data.byteCount >= 0 else {
      throw P4Error(.invalidArgument, "\(name): counts are 0 or more")
    }
  }

  /// Where what belongs to an entry is, default entries included.
  ///
  /// - Throws: ``P4Error/Code/notFound`` for an entry that is not there.
  func place(
    of entry: P4_V1_TableEntry, in table: P4Program.Table
  ) throws(P4Error) -> Element.Place {
    if entry.isDefaultAction {
      guard entry.match.isEmpty, entry.priority == 0 else {
        throw P4Error(.invalidArgument, "the default entry has neither match nor priority")
      }
      return .index(0)
    }
    let key = try program.key(of: entry, in: table)
    guard tables[table.id]?[key] != nil else {
      throw P4Error(.notFound, "\(table.name) has no entry with this key")
    }
    return place(of: key, in: table)
  }

  func place(of key: MatchKey, in table: P4Program.Table) -> Element.Place {
    .entry(table: table.engineTable, key: program.engineKey(key, in: table))
  }

  /// - Throws: ``P4Error/Code/invalidArgument`` for a negative index,
  ///   ``P4Error/Code/outOfRange`` for one beyond the array.
  static func index(
    _ index: P4_V1_Index, _ size: Int, _ name: String
  ) throws(P4Error) -> Int {
    guard index.index >= 0 else {
      throw P4Error(.invalidArgument, "\(name): the index \(index.index) is negative")
    }
    guard index.index < Int64(size) else {
      throw P4Error(.outOfRange, "\(name) has the indices 0...\(size - 1)")
    }
    return Int(index.index)
  }
}
