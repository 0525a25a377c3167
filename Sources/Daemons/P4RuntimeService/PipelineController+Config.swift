import Core
import P4RuntimeCodec
import P4RuntimeProtos

extension PipelineController {
  func setConfig(_ request: P4_V1_SetForwardingPipelineConfigRequest) async throws {
    try checkDevice(request.deviceID)
    try await turnstile.pass { try await self.setConfigAlone(request) }
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
      state = ForwardingState(program: config.program)
    case .verifyAndCommit:
      try await commit(try verified(request), [])
    case .commit:
      guard !request.hasConfig else {
        throw P4Error(.invalidArgument, "COMMIT takes no config; it commits the saved one")
      }
      guard let config = saved, let state else {
        throw P4Error(.notFound, "no config is saved; VERIFY_AND_SAVE one first")
      }
      try await commit(config, state.updates())
    case .reconcileAndCommit:
      let config = try verified(request)
      let updates = state?.updates() ?? []
      do throws(P4Error) { _ = try ForwardingState.replaying(updates, on: config.program) } catch {
        throw P4Error(
          .invalidArgument, "the present entries cannot be kept: \(error.message)")
      }
      if saved == nil, let active, active.message.p4DeviceConfig == config.message.p4DeviceConfig {
        // The same pipeline: frames and flows go on.
        self.active = config
        state = try ForwardingState.replaying(updates, on: config.program).state
        await journal?.committed(config.message, updates: updates)
      } else {
        try await commit(config, updates)
      }
    case .unspecified:
      throw P4Error(.invalidArgument, "the action is not set")
    case .UNRECOGNIZED(let value):
      throw P4Error(.invalidArgument, "action \(value) is not known")
    }
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
  private func commit(_ config: PipelineConfig, _ updates: [P4_V1_Update]) async throws {
    let (newState, change) = try ForwardingState.replaying(updates, on: config.program)
    let maker = maker
    let spec = config.program.spec
    do {
      try await host.install {
        let dataplane = try maker.make(spec)
        try dataplane.apply(change.engine)
        return dataplane
      }
    } catch let error as DataplaneError {
      throw P4Error(error)
    }
    active = config
    saved = nil
    state = newState
    logger.info(
      "pipeline committed", metadata: ["spec": "\(spec.source)", "updates": "\(updates.count)"])
    await journal?.committed(config.message, updates: updates)
  }

  /// Puts back what a journal kept, before any controller is there.
  ///
  /// - Throws: ``P4Error`` when it does not fit together; then nothing is in place.
  public func restore(
    _ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update]
  ) async throws {
    try await turnstile.pass {
      let config = try PipelineConfig(config)
      try await self.commit(config, updates)
    }
  }

  /// How many entries there are, for logs and health.
  public var entryCount: Int { state?.tables.values.reduce(0) { $0 + $1.count } ?? 0 }

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
