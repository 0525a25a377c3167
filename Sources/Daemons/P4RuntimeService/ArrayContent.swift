import Core

/// The values that arrays of a pipeline will have, before it runs or while it changes.
struct ArrayContent: Sendable {
  /// Array → all its elements.
  var registers: [String: [UInt64]] = [:]
  /// Elements of entries.
  var entries: [Element: UInt64] = [:]

  /// Takes over what a dataplane would; rates of meters are in the forwarding state.
  ///
  /// - Parameter array: the array that a write is about, as the pipeline begins with it.
  mutating func take(_ write: ArrayWrite, original array: (String) -> [UInt64]) {
    switch write {
    case .register(let element, let value):
      guard case .index(let index) = element.place else {
        entries[element] = value
        return
      }
      var values = registers[element.array] ?? array(element.array)
      if values.indices.contains(index) { values[index] = value }
      registers[element.array] = values
    case .registers(let name, let value):
      registers[name] = [UInt64](repeating: value, count: array(name).count)
    case .meter, .clearCounts, .hit: break
    }
  }

  /// Puts it into a dataplane. An element of an entry that is not there is left out.
  func write(to dataplane: any Dataplane) throws(DataplaneError) {
    for (name, values) in registers {
      for (index, value) in values.enumerated() {
        try dataplane.setRegister(name, index, to: value)
      }
    }
    for (element, value) in entries {
      guard let index = try element.index(in: dataplane) else { continue }
      try dataplane.setRegister(element.array, index, to: value)
    }
  }
}
