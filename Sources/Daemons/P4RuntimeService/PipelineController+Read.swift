import Core
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
    let names = ReadSnapshot.registers(request, state.program)
    guard saved == nil else {
      for name in names { view.registers[name] = registersOfSaved(name) }
      return view
    }
    if ReadSnapshot.readsLearners(request, state.program) {
      let now = host.now
      let entries = try await host.withDataplane { $0.learnedEntries(at: now) }
      view.learned = Dictionary(grouping: entries, by: \.table)
    }
    if !names.isEmpty { view.registers = try await registersOfActive(names) }
    return view
  }

  /// The values of register arrays of the dataplane.
  func registersOfActive(_ names: Set<String>) async throws -> [String: [UInt64]] {
    try await host.withDataplane { dataplane in
      var values: [String: [UInt64]] = [:]
      for name in names { values[name] = try dataplane.registers(name) }
      return values
    }
  }

  /// The values that an array of the saved pipeline will have.
  func registersOfSaved(_ name: String) -> [UInt64] {
    if let written = savedRegisters[name] { return written }
    guard let array = saved?.program.spec.registers.first(where: { $0.name == name }) else {
      return []
    }
    return [UInt64](repeating: array.initial, count: array.size)
  }
}
