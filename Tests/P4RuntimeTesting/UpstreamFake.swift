import Foundation
import GRPCCore
import P4RuntimeProtos
import Synchronization

/// A stand-in for upstream's `infrap4d` of IPDK 23.01, which misbehaves as that one was
/// seen to: MODIFY answers OK and changes nothing, a group only grows and its dropped
/// members can never be deleted, 1,024 members, a foreign action or a frame to a port that
/// does not exist crash it, values are padded, lists stop at P4Info's size, groups cannot be
/// listed, one missing entity fails a whole Read, one pipeline a life, ports before it or
/// never and a power of two of them, a push fails at random, sixty errors do not fit the
/// answer, and who asks with the election id of another controller hears nothing.
public final class UpstreamFake: P4_V1_P4Runtime.SimpleServiceProtocol {
  struct Member: Hashable {
    var profile: UInt32
    var id: UInt32
  }

  /// A stream that is registered: one with the election id of another is not.
  struct Controller {
    var stream: UUID
    var id: UInt64
    var writer: RPCWriter<P4_V1_StreamMessageResponse>
  }

  struct State {
    var config: P4_V1_ForwardingPipelineConfig?
    var failures: Int
    /// Port types by name, as they were set.
    var ports: [String: String]
    var rows: [P4_V1_TableEntry: P4_V1_TableEntry] = [:]
    var members: [Member: P4_V1_Action] = [:]
    var references: [Member: Int] = [:]
    var groups: [Member: P4_V1_ActionProfileGroup] = [:]
    var controllers: [Controller] = []
    var crash: String?
    var writes = 0
    var pushes = 0
    var updates: [P4_V1_Update] = []

    var primary: Controller? { controllers.max { $0.id < $1.id } }
  }

  let state: Mutex<State>
  private let version: String

  /// - Parameters:
  ///   - failures: pushes that fail before one succeeds.
  ///   - ports: TAPs that are made already.
  ///   - version: what it says of itself: built by Bazel, 1.3.0.
  public init(failures: Int = 0, ports: Int = 16, version: String = "P4RUNTIME_VER") {
    self.version = version
    let ports = (0..<ports).map { ("TAP\($0)", "TAP") }
    state = Mutex(
      State(failures: failures, ports: Dictionary(uniqueKeysWithValues: ports)))
  }

  /// Makes the next TAP.
  public func makePort() { state.withLock { $0.ports["TAP\($0.ports.count)"] = "TAP" } }

  /// Why it crashed; it answers nothing any more.
  public var crash: String? { state.withLock { $0.crash } }
  public var writes: Int { state.withLock { $0.writes } }
  /// SetForwardingPipelineConfig calls that reached the driver.
  public var pushes: Int { state.withLock { $0.pushes } }
  /// All updates so far, good or not, in their order.
  public var updates: [P4_V1_Update] { state.withLock { $0.updates } }

  /// What the pipeline really does with a row: its action as it was inserted.
  public func row(_ table: UInt32, _ key: UInt32) -> P4_V1_TableAction? {
    state.withLock { state in
      state.rows.values.first {
        $0.tableID == table && $0.match.first?.exact.value.reduce(0) { $0 << 8 | UInt32($1) } == key
      }?.action
    }
  }

  /// The members that the pipeline chooses from.
  public func group(_ profile: UInt32, _ id: UInt32) -> [UInt32]? {
    state.withLock { $0.groups[Member(profile: profile, id: id)]?.members.map(\.memberID) }
  }

  public func capabilities(
    request: P4_V1_CapabilitiesRequest, context: ServerContext
  ) async throws -> P4_V1_CapabilitiesResponse {
    try alive()
    return .with { $0.p4RuntimeApiVersion = version }
  }

  func alive() throws {
    if let crash { throw RPCError(code: .unavailable, message: "crashed: \(crash)") }
  }

  public func streamChannel(
    request: RPCAsyncSequence<P4_V1_StreamMessageRequest, any Error>,
    response: RPCWriter<P4_V1_StreamMessageResponse>, context: ServerContext
  ) async throws {
    try alive()
    let stream = UUID()
    var failure: RPCError?
    do {
      for try await message in request {
        guard case .arbitration(let update) = message.update else { continue }
        let answers = try state.withLock { try Self.arbitrate(update, stream, response, &$0) }
        try await Self.tell(answers)
      }
    } catch let error as RPCError {
      failure = error
    }
    // The next highest is told that it is primary now.
    let answers: [Answer] = state.withLock { state in
      let primary = state.primary
      state.controllers.removeAll { $0.stream == stream }
      guard primary?.stream == stream, let next = state.primary else { return [] }
      return [Answer(to: next, primary: next.id, isPrimary: true)]
    }
    try await Self.tell(answers)
    if let failure { throw failure }
  }

  struct Answer: Sendable {
    var writer: RPCWriter<P4_V1_StreamMessageResponse>
    var message: P4_V1_StreamMessageResponse

    init(to controller: Controller, primary: UInt64, isPrimary: Bool) {
      writer = controller.writer
      message = .with {
        $0.arbitration.deviceID = 1
        $0.arbitration.electionID.low = primary
        $0.arbitration.status.code = isPrimary ? 0 : 6
        if !isPrimary { $0.arbitration.status.message = "You are not my master!" }
      }
    }
  }

  private static func tell(_ answers: [Answer]) async throws {
    for answer in answers { try await answer.writer.write(answer.message) }
  }

  /// A change of primary is told to all. Who asks with another's id is not registered: when
  /// that is the primary's, the others are told again who they are, and it hears nothing.
  private static func arbitrate(
    _ update: P4_V1_MasterArbitrationUpdate, _ stream: UUID,
    _ writer: RPCWriter<P4_V1_StreamMessageResponse>, _ state: inout State
  ) throws -> [Answer] {
    guard state.controllers.count < 5 else {
      throw RPCError(
        code: .resourceExhausted,
        message: "Cannot have more than 5 controllers for node (aka device) with ID 1.")
    }
    let before = state.primary
    let asking = Controller(stream: stream, id: update.electionID.low, writer: writer)
    let isTaken = state.controllers.contains { $0.id == asking.id && $0.stream != stream }
    state.controllers.removeAll { $0.stream == stream }
    if !isTaken { state.controllers.append(asking) }
    guard let primary = state.primary else { return [] }
    if isTaken, primary.id != asking.id {
      return [Answer(to: asking, primary: primary.id, isPrimary: false)]
    }
    guard primary.stream == stream || isTaken || before?.stream == stream else {
      return [Answer(to: asking, primary: primary.id, isPrimary: false)]
    }
    return state.controllers.map {
      Answer(to: $0, primary: primary.id, isPrimary: $0.stream == primary.stream)
    }
  }

  public func setForwardingPipelineConfig(
    request: P4_V1_SetForwardingPipelineConfigRequest, context: ServerContext
  ) async throws -> P4_V1_SetForwardingPipelineConfigResponse {
    try alive()
    return try state.withLock { state in
      guard state.config == nil else {
        throw RPCError(
          code: .failedPrecondition,
          message: "Only a single forwarding pipeline can be pushed for any node so far.")
      }
      state.pushes += 1
      if request.action == .commit {
        state.crash = "COMMIT after a push that failed"
        throw RPCError(code: .unavailable, message: "crashed")
      }
      let ports = state.ports.count
      guard state.failures == 0, ports > 0, ports & (ports - 1) == 0 else {
        state.failures = max(0, state.failures - 1)
        throw RPCError(
          code: .internalError,
          message: "'bf_pal_device_add(dev_id, &device_profile)' failed with error message: "
            + "Internal error. ")
      }
      state.config = request.config
      return .init()
    }
  }

  public func getForwardingPipelineConfig(
    request: P4_V1_GetForwardingPipelineConfigRequest, context: ServerContext
  ) async throws -> P4_V1_GetForwardingPipelineConfigResponse {
    try alive()
    guard let config = state.withLock({ $0.config }) else {
      throw RPCError(code: .failedPrecondition, message: "No valid forwarding pipeline config")
    }
    return .with { $0.config = config }
  }
}
