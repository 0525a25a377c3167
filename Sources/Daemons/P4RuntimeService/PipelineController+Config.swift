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
      savedArrays = ArrayContent()
    case .verifyAndCommit:
      let config = try verified(request)
      do throws(P4Error) { try await commit(config, [], ArrayContent()) } catch {
        throw Self.notRealised(error)
      }
    case .commit:
      guard !request.hasConfig else {
        throw P4Error(.invalidArgument, "COMMIT takes no config; it commits the saved one")
      }
      guard let config = saved, let state = savedState else {
        throw P4Error(.notFound, "no config is saved; VERIFY_AND_SAVE one first")
      }
      try await commit(config, state.updates(), savedArrays)
    case .reconcileAndCommit:
      try await reconcile(try verified(request))
    case .unspecified:
      throw P4Error(.invalidArgument, "the action is not set")
    case .UNRECOGNIZED(let value):
      throw P4Error(.invalidArgument, "action \(value) is not known")
    }
  }

  /// The counts and registers of the active pipeline that another one has, too.
  private func keptArrays(_ program: P4Program) async throws -> ArrayContent {
    var content = ArrayContent()
    guard let old = active?.program, let state = activeState else { return content }
    let names = program.controlledRegisters.filter { array in
      old.controlledRegisters.contains { $0.name == array.name && $0.size == array.size }
    }.map(\.name)
    if !names.isEmpty { content.registers = try await registersOfActive(Set(names)) }
    var elements: [Element] = []
    for table in old.tables.values {
      guard case .success(let counter)? = table.directCounter,
        case .success(counter)? = program.tables[table.id]?.directCounter
      else { continue }
      let arrays = [counter.packets, counter.bytes].compactMap(\.self)
      for place in state.places(in: table) + [.index(0)] {
        elements += arrays.map { Element(array: $0, place: place) }
      }
    }
    content.entries = try await valuesOfActive(elements)
    return content
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
    let arrays = try await keptArrays(config.program)
    do throws(P4Error) { try await commit(config, updates, arrays) } catch {
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
    savedArrays = ArrayContent()
  }

  private func verified(
    _ request: P4_V1_SetForwardingPipelineConfigRequest
  ) throws(P4Error) -> PipelineConfig {
    guard request.hasConfig else { throw P4Error(.invalidArgument, "no config is given") }
    let config = try PipelineConfig(request.config)
    try verify(config)
    return config
  }

  private func verify(_ config: PipelineConfig) throws(P4Error) {
    try ControllerHeader.check(config.message.p4Info)
    do { try maker.verify(config.program.spec) } catch {
      throw P4Error(.invalidArgument, "\(maker.name) cannot run it: \(error)")
    }
  }

  /// Puts a pipeline with its entries in place; if that fails, the old one stays.
  private func commit(
    _ config: PipelineConfig, _ updates: [P4_V1_Update], _ arrays: ArrayContent
  ) async throws(P4Error) {
    let replayed = try ForwardingState.replaying(updates, on: config.program)
    try await commit(config, updates, replayed, arrays)
  }

  /// - Parameters:
  ///   - replayed: what the updates make of an empty state.
  ///   - prepare: called with the new dataplane before any frame gets there.
  private func commit(
    _ config: PipelineConfig, _ updates: [P4_V1_Update],
    _ replayed: (state: ForwardingState, change: ForwardingState.Change), _ arrays: ArrayContent,
    prepare: @escaping @Sendable (any Dataplane) -> Void = { _ in }
  ) async throws(P4Error) {
    let (newState, change) = replayed
    let maker = maker
    let spec = config.program.spec
    let now = host.now
    do {
      try await host.install {
        let dataplane = try maker.make(spec)
        try dataplane.apply(change.engine)
        for write in change.writes where write.isConfiguration {
          try write.perform(on: dataplane, at: now)
        }
        try arrays.write(to: dataplane)
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
    idle = IdleTimers(newState, at: host.now)
    wakeIdleWatch()
    dropSaved()
    logger.info(
      "pipeline committed", metadata: ["spec": "\(spec.source)", "updates": "\(updates.count)"])
    await journal?.committed(config.message, updates: updates)
  }

  /// Puts back what a journal kept, before any controller is there.
  ///
  /// - Parameter prepare: called with the dataplane and its entries before any frame gets
  ///   there.
  /// - Throws: ``RestoreError``; then nothing is in place.
  public func restore(
    _ config: P4_V1_ForwardingPipelineConfig, updates: [P4_V1_Update],
    prepare: @escaping @Sendable (any Dataplane) -> Void = { _ in }
  ) async throws {
    try await turnstile.pass { try await self.restoreAlone(config, updates, prepare) }
  }

  private func restoreAlone(
    _ message: P4_V1_ForwardingPipelineConfig, _ updates: [P4_V1_Update],
    _ prepare: @escaping @Sendable (any Dataplane) -> Void
  ) async throws(RestoreError) {
    let config: PipelineConfig
    let replayed: (state: ForwardingState, change: ForwardingState.Change)
    do {
      config = try PipelineConfig(message)
      replayed = try ForwardingState.replaying(updates, on: config.program)
    } catch {
      throw RestoreError(error)
    }
    do {
      try verify(config)
      try await commit(config, updates, replayed, ArrayContent(), prepare: prepare)
    } catch {
      throw .refused(error)
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
