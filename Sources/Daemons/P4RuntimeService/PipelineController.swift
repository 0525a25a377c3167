import Core
import Hosting
import Logging
import P4RuntimeCodec
import P4RuntimeProtos

/// One P4Runtime device: its pipeline, its forwarding state, its controllers.
///
/// The forwarding state here and the tables of the dataplane change together, one
/// request at a time: what a Read sees is a state between two Writes.
public actor PipelineController {
  public struct Options: Sendable {
    /// P4Runtime's `device_id`; not 0.
    public var deviceID: UInt64 = 1
    /// Streams at a time, whether they have arbitrated or not.
    public var maximumStreams = 256
    /// How long a stream may be without arbitration.
    public var patience = Duration.seconds(60)
    /// Live controllers of one role.
    public var maximumStreamsPerRole = 16
    /// Roles, the default one included.
    public var maximumRoles = 64
    /// Updates that reach the dataplane between two bursts of frames when their batch
    /// need not be atomic.
    public var updatesPerTurn = 1024
    public init() {}
  }

  let options: Options
  let host: any DataplaneHost
  let maker: DataplaneMaker
  let packets: (any PacketIO)?
  let logger: Logger
  let turnstile = Turnstile()

  /// What the dataplane runs.
  var active: PipelineConfig?
  /// Saved by VERIFY_AND_SAVE, not committed yet.
  var saved: PipelineConfig?
  /// The state of the active pipeline, and of the saved one. Touched by one request at a
  /// time, which takes it out while it changes it.
  var activeState: ForwardingState?
  var savedState: ForwardingState?
  /// Counters and registers of the saved pipeline that were written, for its COMMIT.
  var savedArrays = ArrayContent()
  /// Of the active pipeline's entries.
  var idle = IdleTimers()
  /// Who waits for them.
  var idleWatch: CheckedContinuation<Void, Never>?
  var isIdleWatchWoken = false
  var arbitration: Arbitration
  var streams: [UInt64: ControllerStream] = [:]
  private var lastStreamID: UInt64 = 0
  private(set) var openStreams = 0
  /// What controllers asked for so far.
  var activity = ControlActivity()
  let journal: (any PipelineJournal)?

  public init(
    host: any DataplaneHost, maker: DataplaneMaker, packets: (any PacketIO)? = nil,
    journal: (any PipelineJournal)? = nil, options: Options = Options(), logger: Logger
  ) {
    precondition(options.deviceID != 0, "device id 0 means unset in P4Runtime")
    self.host = host
    self.maker = maker
    self.packets = packets
    self.journal = journal
    self.options = options
    self.logger = logger
    arbitration = Arbitration(
      deviceID: options.deviceID, maximumStreams: options.maximumStreamsPerRole,
      maximumRoles: options.maximumRoles)
  }

  // MARK: Streams

  /// - Throws: ``P4Error/Code/resourceExhausted`` when there are too many.
  func openStream() throws(P4Error) -> ControllerStream {
    guard openStreams < options.maximumStreams else {
      throw P4Error(.resourceExhausted, "there are \(openStreams) streams already")
    }
    openStreams += 1
    lastStreamID += 1
    let stream = ControllerStream(id: lastStreamID)
    streams[stream.id] = stream
    return stream
  }

  func hasArbitrated(_ stream: ControllerStream) -> Bool { arbitration.knows(stream.id) }

  /// The controller is gone, or says no more; what waits for it may still be read.
  func leave(_ stream: ControllerStream) {
    guard streams.removeValue(forKey: stream.id) != nil else { return }
    stream.finish()
    deliver(arbitration.close(stream.id))
  }

  func closeStream(_ stream: ControllerStream) {
    leave(stream)
    openStreams -= 1
  }

  /// Takes a message of a controller.
  ///
  /// - Throws: ``P4Error`` with which its stream ends.
  func receive(_ message: P4_V1_StreamMessageRequest, on stream: ControllerStream) async throws {
    switch message.update {
    case .arbitration(let update):
      // Writes that have begun end first; later ones are judged by the new order.
      try await turnstile.pass { try await self.arbitrate(update, on: stream) }
    case .packet(let packet): await packetOut(packet, on: stream)
    case .digestAck(let ack):
      let isOfP4Info =
        active?.program.info.digests.contains { $0.preamble.id == ack.digestID } == true
      report(
        isOfP4Info ? .unimplemented : .invalidArgument,
        isOfP4Info ? "digests are not served here" : "P4Info has no digest \(ack.digestID)",
        on: stream
      ) {
        $0.digestListAck = .with { $0.digestListAck = ack }
      }
    case .other(let other):
      report(.invalidArgument, "messages of type \(other.typeURL) are not known", on: stream) {
        $0.other = .with { $0.other = other }
      }
    case nil: throw P4Error(.invalidArgument, "the stream message is empty")
    }
  }

  private func arbitrate(
    _ update: P4_V1_MasterArbitrationUpdate, on stream: ControllerStream
  ) throws(P4Error) {
    guard streams[stream.id] != nil else { return }
    deliver(try arbitration.update(stream.id, update))
  }

  private func deliver(_ notifications: [Arbitration.Notification]) {
    for notification in notifications {
      guard let stream = streams[notification.stream] else { continue }
      if !stream.send(
        .with { $0.arbitration = notification.update }, isDroppable: false)
      {
        logger.warning(
          "a controller does not read its stream; cut off", metadata: ["stream": "\(stream.id)"])
      }
    }
  }

  func report(
    _ code: P4Error.Code, _ message: String, on stream: ControllerStream,
    details: (inout P4_V1_StreamError) -> Void
  ) {
    var error = P4_V1_StreamError()
    error.canonicalCode = code.rawValue
    error.message = message
    details(&error)
    _ = stream.send(.with { $0.error = error }, isDroppable: true)
  }

  // MARK: Checks that several requests share

  func checkDevice(_ id: UInt64) throws(P4Error) {
    guard id == options.deviceID else {
      throw P4Error(
        .notFound, "device \(id) is not here; this is device \(options.deviceID)")
    }
  }

  func checkPrimary(role: String, electionID: ElectionID?) throws(P4Error) {
    guard arbitration.isKnown(role: role) else {
      throw P4Error(.notFound, "no controller has arbitrated for the role \"\(role)\"")
    }
    guard arbitration.isPrimary(role: role, electionID: electionID) else {
      throw P4Error(.permissionDenied, "only the primary controller may do this")
    }
  }
}
