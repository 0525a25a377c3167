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
    guard arbitration.isKnown(role: request.role) else {
      throw P4Error(.notFound, "no controller has arbitrated for the role \"\(request.role)\"")
    }
    guard let state else {
      throw P4Error(.failedPrecondition, "no pipeline is loaded; push one first")
    }
    var view = ReadSnapshot(state: state)
    guard saved == nil else { return view }
    let program = state.program
    if ReadSnapshot.readsLearners(request, program) {
      let now = host.now
      let entries = try await host.withDataplane { $0.learnedEntries(at: now) }
      view.learned = Dictionary(grouping: entries, by: \.table)
    }
    let names = ReadSnapshot.registers(request, program)
    if !names.isEmpty {
      view.registers = try await host.withDataplane { dataplane in
        var values: [String: [UInt64]] = [:]
        for name in names { values[name] = try dataplane.registers(name) }
        return values
      }
    }
    return view
  }
}
