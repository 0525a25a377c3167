import Core

/// An element of an array of the pipeline, by the engine's names.
struct Element: Hashable, Sendable {
  enum Place: Hashable, Sendable {
    /// 0 in an array by entry is a miss.
    case index(Int)
    case entry(table: String, key: [UInt64])
  }

  var array: String
  var place: Place

  /// Where it is in a dataplane; nil for that of an entry that is not there.
  func index(in dataplane: any Dataplane) throws(DataplaneError) -> Int? {
    switch place {
    case .index(let index): index
    case .entry(let table, let key): try dataplane.index(of: key, in: table)
    }
  }
}

/// What a dataplane has to do besides the updates of its tables. It has been found good.
enum ArrayWrite: Hashable, Sendable {
  case register(Element, UInt64)
  /// All of an array.
  case registers(String, UInt64)
  case meter(Element, MeterRates?)
  case clearCounts(Element)
  /// An entry counts as hit now.
  case hit(table: String, key: [UInt64])

  /// Whether it is configuration, which outlives the process; counts and registers do not.
  var isConfiguration: Bool {
    switch self {
    case .register, .registers, .clearCounts: false
    case .meter, .hit: true
    }
  }

  /// Does it. What is about an entry that is not there any more does nothing: a later update
  /// of the batch has deleted it.
  func perform(on dataplane: any Dataplane, at now: Timestamp) throws(DataplaneError) {
    switch self {
    case .register(let element, let value):
      guard let index = try element.index(in: dataplane) else { return }
      try dataplane.setRegister(element.array, index, to: value)
    case .registers(let array, let value):
      for index in try dataplane.registers(array).indices {
        try dataplane.setRegister(array, index, to: value)
      }
    case .meter(let element, let rates):
      guard let index = try element.index(in: dataplane) else { return }
      try dataplane.setMeter(element.array, index, to: rates)
    case .clearCounts(let element):
      guard let index = try element.index(in: dataplane) else { return }
      try dataplane.clearMeterCounts(element.array, index)
    case .hit(let table, let key):
      guard try dataplane.index(of: key, in: table) != nil else { return }
      try dataplane.setLastHit(of: key, in: table, to: now)
    }
  }
}
