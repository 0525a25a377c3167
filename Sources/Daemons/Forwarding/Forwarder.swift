import CForwarding
import Core
import Dispatch
import Foundation
import Hosting

/// Moves frames between ports through a dataplane, on a thread of its own that sleeps
/// when there are none.
///
/// The thread owns the dataplane and reads, processes and writes in batches; control
/// operations run on it between two batches, so they need no lock and see no frame
/// half way. Interfaces are made and looked at on another thread, because the kernel
/// takes milliseconds for that.
///
/// TAP interfaces outlive the process and ``stop()``: a pod keeps its interface while
/// the daemon restarts. ``remove(_:)`` deletes them.
public final class Forwarder: DataplaneHost, PortRegistry, PacketIO, FrameCaptures {
  /// How to forward.
  public struct Options: Sendable {
    /// Port ids are below this. At most 65,536.
    public var maximumPorts = 1024
    /// Never sleep: a busy core for less delay.
    public var poll = false
    /// Many frames a system call by io_uring, where the kernel permits it; one by one
    /// otherwise.
    public var batched = true
    /// The port between the pipeline and its controller; no interface gets its id.
    public var controllerPort: PortID?
    public init() {}
  }

  private let mailbox: Mailbox
  private let table: PortTable
  private let controller: ControllerPort?
  private let clock = ForwardingClock()

  /// Starts the thread.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when the kernel gives no more file
  ///   descriptors.
  public init(options: Options = Options()) throws(DataplaneError) {
    precondition((1...65_536).contains(options.maximumPorts), "port ids are 0 to 65535")
    let epoll: FileDescriptor
    do {
      mailbox = try Mailbox()
      epoll = FileDescriptor(try KernelError.check(cfw_epoll_create()))
    } catch {
      throw DataplaneError(.unavailable, "forwarding thread", "\(error)")
    }
    table = PortTable(
      mailbox: mailbox, maximumPorts: options.maximumPorts, controllerPort: options.controllerPort)
    controller = options.controllerPort.map(ControllerPort.init)
    Thread.detachNewThread { [mailbox, clock, controller] in
      cfw_thread_set_name("forwarding")
      ForwardingLoop(
        mailbox: mailbox, epoll: epoll, clock: clock, controller: controller,
        maximumPorts: options.maximumPorts, polls: options.poll, batched: options.batched
      ).run()
    }
  }

  deinit { mailbox.post(Mailbox.Job(run: { $0.isStopped = true }, cancel: {})) }

  /// Ends the thread. TAP interfaces stay, without carrier; every later call throws
  /// ``DataplaneError/Code/unavailable``.
  public func stop() async {
    await withCheckedContinuation { continuation in
      mailbox.post(
        Mailbox.Job(
          run: { loop in
            loop.isStopped = true
            loop.whenEnded.append { continuation.resume() }
          },
          cancel: { continuation.resume() }))
    }
    await table.forget()
  }

  /// Whether many frames go with one system call.
  public func isBatched() async throws -> Bool {
    try await onLoop { cfw_ring_is_batched($0.ring) != 0 }
  }

  // MARK: DataplaneHost

  public func withDataplane<Result: Sendable>(
    _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      guard let dataplane = loop.dataplane else {
        throw DataplaneError.noPipeline
      }
      return try body(dataplane)
    }
  }

  public func withDataplane<Result: Sendable>(
    applying updates: [Update], _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      try loop.apply(updates)
      guard let dataplane = loop.dataplane else { throw DataplaneError.noPipeline }
      return try body(dataplane)
    }
  }

  public func install(_ make: @escaping @Sendable () throws -> any Dataplane) async throws {
    try await onLoop { $0.install(try make()) }
  }

  public func uninstall() async {
    // A forwarder that has stopped has no dataplane either.
    try? await onLoop { $0.install(nil) }
  }

  // MARK: FrameCaptures

  public func capture<Result: Sendable>(
    _ options: CaptureOptions,
    moment: @escaping @Sendable ((any Dataplane)?, Timestamp) throws -> Result
  ) async throws -> (capture: any FrameCapture, moment: Result) {
    let (capture, result) = try await onLoop { try $0.capture(options, moment: moment) }
    return (capture, result)
  }

  public var now: Timestamp { clock.now }

  public func sleep(until time: Timestamp) async throws {
    while true {
      let now = clock.now
      guard now < time else { return }
      try await Task.sleep(for: .nanoseconds(Int64(clamping: time.nanoseconds - now.nanoseconds)))
    }
  }

  // MARK: PacketIO

  public func inject(_ frame: [UInt8]) async throws {
    guard let controller else {
      throw DataplaneError(.unavailable, "packet-out", "the pipeline has no controller port")
    }
    guard frame.count <= FrameBatch.longestFrame else {
      throw DataplaneError(
        .invalidArgument, "packet-out",
        "\(frame.count) bytes; at most \(FrameBatch.longestFrame)")
    }
    try await onLoop { loop in
      guard loop.dataplane != nil else { throw DataplaneError.noPipeline }
      loop.injected.append((frame, controller.id))
    }
  }

  public func framesForController() -> AsyncStream<[UInt8]> {
    controller?.frames ?? AsyncStream { $0.finish() }
  }

  // MARK: PortRegistry

  public func add(_ port: PortDescription) async throws -> PortID { try await table.add(port) }

  public func remove(_ name: String) async throws { try await table.remove(name) }

  public func ports() async -> [PortStatus] { await table.status() }

  public func locations() async -> [String: InterfaceLocation] { await table.locations() }

  /// Keeps all network namespaces open, so that ports are found in them also when the
  /// process gives up what it takes to open them; ``releaseNamespaces()`` lets go.
  public static func holdNamespaces() { NetworkNamespace.hold() }

  public static func releaseNamespaces() { NetworkNamespace.release() }

  private func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (ForwardingLoop) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      mailbox.post(
        Mailbox.Job(
          run: { loop in continuation.resume(with: Swift.Result { try body(loop) }) },
          cancel: { continuation.resume(throwing: DataplaneError.stopped) }))
    }
  }
}

extension DataplaneError {
  static let stopped = DataplaneError(
    .unavailable, "forwarding thread", "has stopped; start the daemon again")
  static let noPipeline = DataplaneError(
    .unavailable, "pipeline", "none is installed; push one first")
}
