import Core
import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import P4RuntimeCodec
import P4RuntimeProtos

/// A controller of one `infrap4d`, ours or upstream's: it keeps the state that is
/// wanted, and sees to it that the server has it, also after either of them restarted.
///
/// Every change is validated here before anything is sent, so a refusal has no partial
/// effect. When a connection is lost in the middle of a change, the next one reads the
/// server's state back and puts right what differs.
public actor Infrap4dClient {
  enum Standing {
    case away(String)
    case backup
    case primary
  }

  let options: Infrap4dOptions
  let logger: Logger
  let client: ControllerStream.Client
  let grpc: GRPCClient<HTTP2ClientTransport.Posix>
  /// The one that is asked for now.
  private(set) var electionID: P4_V1_Uint128
  /// Whether the server said who is primary since the connection began.
  private var isAnswered = false
  /// Whether a call failed in a way that says so of the connection.
  private var isSuspect = false
  private var isStopped = false
  private var stream: Task<Void, any Error>?
  private var standing = Standing.away("not connected yet")
  private var tasks: [Task<Void, Never>] = []
  private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
  private var lastWaiter: UInt64 = 0
  private var isBusy = false
  private var queue: [CheckedContinuation<Void, Never>] = []

  public private(set) var kind = ServerKind.faithful
  /// Of upstream's server; they cannot change while its pipeline runs.
  var ports: Int?
  var encoder: UpdateEncoder?
  /// Validates, and holds what is wanted.
  var store: TableStore?
  var wanted = RemoteState()
  /// Whether what is wanted is yet to be found in a server that has the pipeline.
  private var adopts: Bool

  /// Begins to connect.
  ///
  /// - Throws: ``DataplaneError/Code/invalidArgument`` for certificates that cannot be
  ///   read.
  public init(_ options: Infrap4dOptions, logger: Logger) throws(DataplaneError) {
    self.options = options
    self.logger = logger
    adopts = options.adoptsEntries && options.entries == nil
    do {
      grpc = GRPCClient(transport: try options.transport())
    } catch {
      throw DataplaneError(.invalidArgument, "infrap4d", "\(error)")
    }
    client = P4_V1_P4Runtime.Client(wrapping: grpc)
    electionID = .with { $0.low = options.electionID }
  }

  /// Connects, and stays connected until ``stop()``, also when nobody else refers to it.
  public func start() {
    guard tasks.isEmpty else { return }
    let grpc = grpc
    tasks = [
      Task { try? await grpc.runConnections() },
      Task { [weak self] in
        var pause = self?.options.backoff.lowerBound ?? .zero
        while !Task.isCancelled, let client = self {
          let began = ContinuousClock.now
          await client.connect()
          // A connection that lasted is no failure.
          if ContinuousClock.now - began > .seconds(10) {
            pause = client.options.backoff.lowerBound
          }
          try? await Task.sleep(for: pause)
          pause = min(pause * 2, client.options.backoff.upperBound)
        }
      },
    ]
  }

  public func stop() {
    isStopped = true
    for task in tasks { task.cancel() }
    grpc.beginGracefulShutdown()
    standing = .away("the client was stopped")
  }

  /// Whether the server is there, runs the pipeline and has what is wanted.
  public var isReady: Bool { if case .primary = standing { true } else { false } }

  /// Waits until the server is there, runs the pipeline and has what is wanted.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` after ``Infrap4dOptions/patience``.
  public func ready() async throws(DataplaneError) {
    if case .primary = standing { return }
    lastWaiter += 1
    let (id, patience) = (lastWaiter, options.patience)
    let timer = Task { [weak self] in
      try await Task.sleep(for: patience)
      await self?.giveUp(id)
    }
    defer { timer.cancel() }
    do {
      try await withCheckedThrowingContinuation { waiters[id] = $0 }
    } catch {
      throw (error as? DataplaneError) ?? DataplaneError(.unavailable, "infrap4d", "\(error)")
    }
  }

  /// Why it is not ready, or nil.
  public var waiting: String? {
    switch standing {
    case .away(let reason): reason
    case .backup: "another controller with a higher election id is primary"
    case .primary: nil
    }
  }

  private func giveUp(_ id: UInt64) {
    waiters.removeValue(forKey: id)?.resume(
      throwing: DataplaneError(
        .unavailable, "infrap4d at \(options.address)", waiting ?? "it came too late"))
  }

  /// Runs an operation when the server is ready, and again when the server went away
  /// meanwhile, for as long as the client is patient.
  func attempt<Result: Sendable>(
    _ body: () async throws(DataplaneError) -> Result
  ) async throws(DataplaneError) -> Result {
    let deadline = ContinuousClock.now + options.patience
    while true {
      try await ready()
      isSuspect = false
      do throws(DataplaneError) {
        return try await exclusively(body)
      } catch {
        guard isSuspect, ContinuousClock.now < deadline else { throw error }
        reconnect(error.message)
      }
    }
  }

  /// A call failed as it does when the server is no longer the one, or this controller
  /// is no longer its primary: everything begins anew.
  private func reconnect(_ reason: String) {
    stream?.cancel()
    lose(reason)
  }

  /// One operation at a time: what is read and what is written belong together.
  func exclusively<Result: Sendable>(
    _ body: () async throws(DataplaneError) -> Result
  ) async throws(DataplaneError) -> Result {
    if isBusy {
      await withCheckedContinuation { queue.append($0) }
    } else {
      isBusy = true
    }
    defer { if queue.isEmpty { isBusy = false } else { queue.removeFirst().resume() } }
    return try await body()
  }

  // MARK: The connection

  private func connect() async {
    do {
      var quick = CallOptions.defaults
      quick.waitForReady = false
      kind = try await ServerKind(grpc, options: quick)
      let stream = ControllerStream(deviceID: options.deviceID)
      stream.arbitrate(electionID: electionID)
      let task = Task { [weak self, client] in
        try await stream.run(client) { [weak self] in try await self?.hear($0, on: stream) }
      }
      self.stream = task
      isAnswered = false
      let nudge = Task { [weak self, options] in
        while true {
          try await Task.sleep(for: options.silence)
          guard let self, await self.outbid(on: stream) else { return }
        }
      }
      defer { nudge.cancel() }
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
      lose("the server ended the stream")
    } catch is CancellationError {
      // Who cancelled has said why.
    } catch {
      // Another controller has the same id (P4Runtime 1.4, 5.3): only one can have it.
      if (error as? RPCError)?.code == .invalidArgument { electionID = electionID.next }
      lose(Self.text(error))
    }
  }

  /// Asks for a higher election id when the server has not answered.
  private func outbid(on stream: ControllerStream) -> Bool {
    guard !isAnswered else { return false }
    electionID = electionID.next
    logger.notice("no answer; another controller may have the same election id")
    stream.arbitrate(electionID: electionID)
    return true
  }

  private func hear(
    _ message: P4_V1_StreamMessageResponse, on stream: ControllerStream
  ) async throws {
    switch message.update {
    case .arbitration(let update):
      isAnswered = true
      switch P4Error.Code(rawValue: update.status.code) {
      case .ok:
        try await exclusively { () async throws(DataplaneError) in try await takeOver() }
        standing = .primary
        for waiter in waiters.values { waiter.resume() }
        waiters = [:]
        logger.info("driving infrap4d", metadata: ["server": "\(kind)"])
      case .notFound:
        // The primary is gone. Its election id stays the one to beat (P4Runtime 1.4, 5.3).
        standing = .backup
        electionID = P4_V1_Uint128.higher(electionID, update.electionID).next
        stream.arbitrate(electionID: electionID)
      default:
        standing = .backup
        logger.notice("another controller is primary")
      }
    case .error(let error):
      logger.warning("infrap4d reports an error", metadata: ["reason": "\(error.message)"])
    default: break
    }
  }

  private func lose(_ reason: String) {
    switch standing {
    case .primary: logger.warning("lost infrap4d", metadata: ["reason": "\(reason)"])
    // Once, however long it lasts.
    case .away(let before) where before != reason && !isStopped:
      logger.warning(
        "infrap4d is not reached",
        metadata: ["at": "\(options.address)", "reason": "\(reason)"])
    default: break
    }
    standing = .away(reason)
  }

  static func text(_ error: any Error) -> String {
    if let failure = ConnectionFailure(error) { return failure.description }
    guard let error = error as? RPCError else { return "\(error)" }
    let cause = error.cause.map { ": \($0)" } ?? ""
    return "\(error.message)\(cause)"
  }

  /// What it means that an RPC failed as a whole.
  func failure(_ error: any Error, _ entity: String) -> DataplaneError {
    if let error = error as? DataplaneError { return error }
    guard let rpc = error as? RPCError else {
      return DataplaneError(.unavailable, entity, Self.text(error))
    }
    let code: DataplaneError.Code =
      switch rpc.code {
      case .invalidArgument: .invalidArgument
      case .notFound: .notFound
      case .alreadyExists: .alreadyExists
      case .resourceExhausted: .resourceExhausted
      case .outOfRange: .outOfRange
      case .unimplemented: .unimplemented
      default: .unavailable
      }
    // No primary, no pipeline, no server.
    if [.permissionDenied, .failedPrecondition, .unavailable, .cancelled].contains(rpc.code) {
      isSuspect = true
    }
    return DataplaneError(code, entity, Self.text(error))
  }

  /// Brings the server to the wanted pipeline and state.
  private func takeOver() async throws(DataplaneError) {
    let config = try await pipeline()
    let program = config.program
    if store?.contract != program.contract {
      var fresh = TableStore(contract: program.contract)
      wanted = RemoteState()
      if store == nil, let entries = options.entries {
        let inserts = entries.map { Update.insert($0) }
        _ = try fresh.commit(inserts)
        wanted.apply(inserts)
      }
      store = fresh
    }
    encoder = UpdateEncoder(program)
    let present = try await readState()
    if wanted == RemoteState(), options.pipeline == nil || adopts {
      // It was never told what to want: it takes what is there.
      try adopt(present)
    } else {
      try await reconcile(from: present)
    }
    adopts = false
  }
}

extension Infrap4dClient {
  /// Of the pipeline that runs.
  ///
  /// Empty before ``ready()``.
  public var contract: Contract {
    encoder?.program.contract
      ?? Contract(actions: [:], tables: [], learners: [], selectors: [])
  }
}
