import Core
import Hosting
import P4RuntimeCodec
import P4RuntimeProtos

extension PipelineController {
  /// A consistent view of everything that can be read.
  func snapshot(for request: P4_V1_ReadRequest) async throws -> ReadSnapshot {
    try checkDevice(request.deviceID)
    return try await turnstile.pass { try await self.snapshotAlone(request) }
  }

  private func snapshotAlone(_ request: P4_V1_ReadRequest) async throws -> ReadSnapshot {
    // Every role has full access here, so it filters nothing.
    guard let state = saved == nil ? activeState : savedState else {
      throw P4Error(.failedPrecondition, "no pipeline is loaded; push one first")
    }
    var view = ReadSnapshot(state: state)
    let query = ArrayQuery(request, state)
    guard saved == nil else {
      // No frame has come there yet.
      for name in query.registers {
        view.arrays.registers[name] = savedArrays.registers[name] ?? originalRegisters(name)
      }
      for element in query.elements {
        view.arrays.elements[element] = valueOfSaved(element)
      }
      return view
    }
    if ReadSnapshot.readsLearners(request, state.program) {
      view.learned = try await Self.learned(by: host, state.program.contract)
    }
    if !query.isEmpty { view.arrays = try await readings(query) }
    return view
  }

  /// Slots of a learner that are looked through between two bursts of frames.
  private static let slotsPerTurn = 8192

  /// Learner → its live entries in canonical order, read in many turns: there may be millions.
  private nonisolated static func learned(
    by host: any DataplaneHost, _ contract: Contract
  ) async throws -> [String: [LearnedEntry]] {
    let slots = 4 * (contract.learners.map(\.buckets).max() ?? 0)
    let parts = max(1, slots / slotsPerTurn)
    var entries: [LearnedEntry] = []
    for part in 0..<parts {
      entries += try await host.withDataplane {
        $0.learnedEntries(at: host.now, part: part, of: parts)
      }
    }
    return Dictionary(grouping: entries.sorted(), by: \.table)
  }

  /// What the arrays of the dataplane hold, in turns of many elements.
  private func readings(_ query: ArrayQuery) async throws -> ArrayReadings {
    var readings = ArrayReadings()
    if !query.registers.isEmpty {
      readings.registers = try await registersOfActive(query.registers)
    }
    readings.elements = try await valuesOfActive(query.elements)
    for part in parts(of: query.meters) {
      let counts = try await host.withDataplane { dataplane in
        try part.map { element in
          try element.index(in: dataplane).map {
            try dataplane.meterCounts(element.array, $0)
          }
        }
      }
      for (element, counts) in zip(part, counts) { readings.meters[element] = counts }
    }
    for part in parts(of: query.hits) {
      let now = host.now
      let hits = try await host.withDataplane { dataplane in
        try part.map { place -> Timestamp? in
          guard case .entry(let table, let key) = place else { return nil }
          return try dataplane.lastHit(of: key, in: table)
        }
      }
      for (place, hit) in zip(part, hits) {
        guard let hit else { continue }
        // A frame may have come since.
        readings.hits[place] = now > hit ? now.nanoseconds - hit.nanoseconds : 0
      }
    }
    return readings
  }

  /// The values of elements of the dataplane's register arrays.
  func valuesOfActive(_ elements: [Element]) async throws -> [Element: UInt64] {
    var all: [Element: UInt64] = [:]
    for part in parts(of: elements) {
      let values = try await host.withDataplane { dataplane in
        try part.map { element in
          try element.index(in: dataplane).map { try dataplane.register(element.array, $0) }
        }
      }
      for (element, value) in zip(part, values) { all[element] = value }
    }
    return all
  }

  private func parts<Item>(of items: [Item]) -> [[Item]] {
    stride(from: 0, to: items.count, by: options.updatesPerTurn).map {
      Array(items[$0..<min($0 + options.updatesPerTurn, items.count)])
    }
  }

  private func valueOfSaved(_ element: Element) -> UInt64 {
    guard case .index(let index) = element.place else { return savedArrays.entries[element] ?? 0 }
    let values = savedArrays.registers[element.array] ?? originalRegisters(element.array)
    return values.indices.contains(index) ? values[index] : 0
  }

  /// The values of register arrays of the dataplane.
  func registersOfActive(_ names: Set<String>) async throws -> [String: [UInt64]] {
    try await host.withDataplane { dataplane in
      var values: [String: [UInt64]] = [:]
      for name in names { values[name] = try dataplane.registers(name) }
      return values
    }
  }

  /// The values that an array of the saved pipeline begins with.
  func originalRegisters(_ name: String) -> [UInt64] {
    guard let array = saved?.program.spec.registers.first(where: { $0.name == name }) else {
      return []
    }
    return [UInt64](repeating: array.initial, count: array.size)
  }
}
