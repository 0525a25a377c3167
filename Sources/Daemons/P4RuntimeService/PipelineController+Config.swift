import Core
import P4RuntimeCodec
import P4RuntimeProtos

extension PipelineController {
  func setConfig(_ request: P4_V1_SetForwardingPipelineConfigRequest) async throws {
    do {
      try checkDevice(request.deviceID)
      try await turnstile.pass { try await self.setConfigAlone(request) }
      activity.pushed(nil)
    } catch {
      activity.pushed(error)
      throw error
    }
  }

  private func setConfigAlone(
    _ request: P4_V1_SetForwardingPipelineConfigRequest
  ) async throws {
    try checkPrimary(
      role: request.role,
      electionID: request.hasElectionID ? ElectionID(request.electionID) : nil)
    switch request.action {
    case .verify:
      _ = try verified(request)
    case .verifyAndSave:
      let config = try verified(request)
      saved = config
      savedState = ForwardingState(program: config.program)
      savedRegisters = [:]
    case .verifyAndCommit:
      let config = try verified(request)
      do throws(P4Error) { try await commit(config, [], [:]) } catch {
        throw Self.notRealised(error)
      }
    case .commit:
      guard !request.hasConfig else {
        throw P4Error(.invalidArgument, "COMMIT takes no config; it commits the saved one")
      }
      guard let config = saved, let state = savedState else {
        throw P4Error(.notFound, "no config is saved; VERIFY_AND_SAVE one first")
      }
      try await commit(config, state.updates(), savedRegisters)
    case .reconcileAndCommit:
      try await reconcile(try verified(request))
    case .unspecified:
      throw P4Error(.invalidArgument, "the action is not set")
    case .UNRECOGNIZED(let value):
      throw P4Error(.invalidArgument, "action \(value) is not known")
    }
  }

  /// Puts a pipeline in place with the entries and counters of the active one.
  private func reconcile(_ config: PipelineConfig) async throws {
    let updates = activeState?.updates() ?? []
    if let active, active.message.p4DeviceConfig == config.message.p4DeviceConfig,
      active.message.p4Info == config.message.p4Info
    {
      // The same pipeline: frames and flows go on.
      self.active = config
      dropSaved()
      await journal?.committed(config.message, updates: updates)
      return
    }
    let kept = config.program.counterRegisters.filter { array in
      active?.program.counterRegisters.contains { $0.name == array.name && $0.size == array.size }
        ?? false
    }
    let registers = kept.isEmpty ? [:] : try await registersOfActive(Set(kept.map(\.name)))
    do throws(P4Error) { try await commit(config, updates, registers) } catch {
      throw Self.notRealised(
        P4Error(error.code, "the present entries cannot be kept: \(error.message)"))
    }
  }

  /// A config that was given and does not work is a bad argument; a host that has gone
  /// is not.
  private static func notRealised(_ error: P4Error) -> P4Error {
    error.code == .unavailable ? error : P4Error(.invalidArgument, error.message)
  }

  private func dropSaved() {
    saved = nil
    savedState = nil
    savedRegisters = [:]
  }

  private func verified(
    _ request: P4_V1_SetForwardingPipelineConfigRequest
  ) throws -> PipelineConfig {
    guard request.hasConfig else { throw P4Error(.invalidArgument, "no config is given") }
    let config = try PipelineConfig(request.config)
    do {
      try maker.verify(config.program.spec)
    } catch let error as DataplaneError {
      throw P4Error(.invalidArgument, "\(maker.name) cannot run it: \(error.description)")
    }
    return config
  }

  /// Puts a pipeline with its entries in place; if that fails, the old one stays.
  ///
  /// - Parameter prepare: called with the new dataplane before any frame gets there.
  private func commit(
    _ config: PipelineConfig, _ updates: [P4_V1_Update], _ registers: [String: [UInt64]],
    prepare: @escaping @Sendable (any Dataplane) -> Void = { _ in }
  ) async throws(P4Error) {
    let (newState, change) = try ForwardingState.replaying(updates, on: config.program)
    let maker = maker
    let spec = config.program.spec
    do {
      try await host.install {
        let dataplane = try maker.make(spec)
        try dataplane.apply(change.engine)
        for (name, values) in registers {
          for (index, value) in values.enumerated() {
            try dataplane.setRegister(name, index, to: value)
          }
        }
        prepare(dataplane)
        return dataplane
      }
    } catch let error as DataplaneError {
      throw P4Error(error)
    } catch {
      throw P4Error(.internal, "\(error)")
    }
    active = config
    activeState = newState
    dropSaved()
    logger.info(
      "pipeline committed", metadata: ["spec": "\(spec.source)", "updates": "\(updates.count)"])
    await journal?.committed(config.message, updates: updates)
  }

  /// Puts back what a journal kept, before any controller is there.
  ///
  /// - Parameter prepare: called with the dataplane and its entries before any frame gets
  ///   there.
  /// - Throws: ``P4Error`` when it does not fit together; then nothing is in place.
  public func restore(
    _ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update],
    prepare: @escaping @Sendable (any Dataplane) -> Void = { _ in }
  ) async throws {
    try await turnstile.pass {
      let config = try PipelineConfig(config)
      try await self.commit(config, updates, [:], prepare: prepare)
    }
  }

  /// How many entries there are, for logs and health.
  public func entryCount() async throws -> Int {
    try await turnstile.pass { await self.activeState?.entryCount ?? 0 }
  }

  func getConfig(
    _ request: P4_V1_GetForwardingPipelineConfigRequest
  ) throws(P4Error) -> P4_V1_GetForwardingPipelineConfigResponse {
    try checkDevice(request.deviceID)
    guard let message = (saved ?? active)?.message else { return .init() }
    var config = P4_V1_ForwardingPipelineConfig()
    if message.hasCookie { config.cookie = message.cookie }
    switch request.responseType {
    case .all:
      config.p4Info = message.p4Info
      config.p4DeviceConfig = message.p4DeviceConfig
    case .cookieOnly: break
    case .p4InfoAndCookie: config.p4Info = message.p4Info
    case .deviceConfigAndCookie: config.p4DeviceConfig = message.p4DeviceConfig
    case .UNRECOGNIZED(let value):
      throw P4Error(.invalidArgument, "response type \(value) is not known")
    }
    return .with { $0.config = config }
  }
}
