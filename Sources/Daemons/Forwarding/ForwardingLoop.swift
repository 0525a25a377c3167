import CForwarding
import Core
import Hosting

/// What the forwarding thread does: it owns the dataplane and all frames, and takes
/// turns. A turn waits for frames or jobs, runs jobs for a bounded time, reads one
/// batch from the ports that have frames, sends it through the dataplane and writes
/// it out. Nothing else than the wait ever blocks.
final class ForwardingLoop {
  /// Frames of a turn.
  static let batchSize = 64
  /// Ports that are looked at in a turn; the others have theirs in the next ones.
  static let portsATurn = 64
  /// Jobs may take this long in a turn, except for the last one begun.
  static let jobNanoseconds: UInt64 = 1_000_000
  /// The token of the mailbox in epoll. Ports have their ids.
  private static let mail = UInt64.max

  private(set) var dataplane: (any Dataplane)?
  /// Those who look at frames; nil when nobody does.
  private(set) var captures: CaptureSet?
  var isStopped = false
  /// Called when nothing runs here any more.
  var whenEnded: [@Sendable () -> Void] = []
  private(set) var ports: [PortID: LoopPort] = [:]
  /// By id, for the way of a frame.
  var portsByID: [LoopPort?]

  private let mailbox: Mailbox
  private let epoll: FileDescriptor
  private let polls: Bool
  private let clock: ForwardingClock
  let controller: ControllerPort?
  /// Frames of the controller, which go first.
  var injected: [(frame: [UInt8], port: PortID)] = []
  private var jobs: ArraySlice<Mailbox.Job> = []

  let ring: OpaquePointer
  var batch = FrameBatch(capacity: batchSize, maximumLength: FrameBatch.longestFrame)
  /// Of the frames of the batch.
  let offloads: UnsafeMutablePointer<Offload>
  let transfers: UnsafeMutablePointer<cfw_transfer>
  /// The port of each transfer.
  let transferPorts: UnsafeMutablePointer<PortID>
  private let tokens: UnsafeMutablePointer<UInt64>
  /// Ports with frames to read.
  var ready: [LoopPort] = []

  /// - Parameters:
  ///   - epoll: empty.
  ///   - controller: the port of the controller, if there is one.
  ///   - maximumPorts: ids are below.
  ///   - polls: never sleep.
  ///   - batched: use io_uring where the kernel permits it.
  init(
    mailbox: Mailbox, epoll: FileDescriptor, clock: ForwardingClock, controller: ControllerPort?,
    maximumPorts: Int, polls: Bool, batched: Bool
  ) {
    self.mailbox = mailbox
    self.epoll = epoll
    self.clock = clock
    self.controller = controller
    self.polls = polls
    portsByID = Array(repeating: nil, count: maximumPorts)
    guard let ring = cfw_ring_create(UInt32(Self.batchSize), batched ? 1 : 0) else {
      fatalError("out of memory")
    }
    self.ring = ring
    offloads = .allocate(capacity: Self.batchSize)
    offloads.initialize(repeating: .none, count: Self.batchSize)
    transfers = .allocate(capacity: Self.batchSize)
    transfers.initialize(repeating: cfw_transfer(), count: Self.batchSize)
    transferPorts = .allocate(capacity: Self.batchSize)
    transferPorts.initialize(repeating: 0, count: Self.batchSize)
    tokens = .allocate(capacity: Self.portsATurn)
    tokens.initialize(repeating: 0, count: Self.portsATurn)
    ready.reserveCapacity(Self.portsATurn)
  }

  deinit {
    cfw_ring_free(ring)
    offloads.deallocate()
    transfers.deallocate()
    transferPorts.deallocate()
    tokens.deallocate()
  }

  /// Runs until ``isStopped``.
  func run() {
    let status = cfw_epoll_add(epoll.number, mailbox.readable, Self.mail)
    precondition(status == 0, "epoll does not take an eventfd: \(status)")
    while !isStopped {
      if wait() { jobs.append(contentsOf: mailbox.takeAll()) }
      runJobs()
      if !injected.isEmpty {
        takeInjected()
        forward()
      }
      guard !ready.isEmpty else { continue }
      receive()
      forward()
    }
    mailbox.close()
    for job in jobs { job.cancel() }
    for port in ports.values { cfw_epoll_remove(epoll.number, port.fd) }
    ports = [:]
    portsByID = []
    dataplane = nil
    captures?.closeAll()
    controller?.close()
    for body in whenEnded { body() }
  }

  /// Waits until there is something to do, and fills ``ready``.
  ///
  /// - Returns: whether there is mail.
  private func wait() -> Bool {
    let timeout: Int32 = polls || !jobs.isEmpty || !injected.isEmpty ? 0 : -1
    let count = cfw_epoll_wait(epoll.number, tokens, Int32(Self.portsATurn), timeout)
    precondition(count >= 0, "epoll: \(KernelError(errno: -count))")
    ready.removeAll(keepingCapacity: true)
    var hasMail = false
    for i in 0..<Int(count) {
      if tokens[i] == Self.mail {
        hasMail = true
      } else if let port = portsByID[Int(tokens[i])] {
        ready.append(port)
      }
    }
    return hasMail
  }

  private func runJobs() {
    guard !jobs.isEmpty else { return }
    let end = ForwardingClock.monotonic() + Self.jobNanoseconds
    repeat {
      jobs.removeFirst().run(self)
    } while !jobs.isEmpty && !isStopped && ForwardingClock.monotonic() < end
  }

  /// Takes the batch through the dataplane and out.
  private func forward() {
    let now = clock.now
    captures?.take(batch)
    if let dataplane {
      dataplane.process(batch, at: now)
    } else {
      for i in 0..<batch.count {
        batch.verdicts[i] = Verdict.drop(.noPipeline).encoded
      }
    }
    send()
    if let captures {
      captures.tell(
        batch, offloads, transfers, controller: controller?.id, hasPipeline: dataplane != nil,
        at: now)
      if captures.isEmpty { self.captures = nil }
    }
  }

  func install(_ dataplane: (any Dataplane)?) {
    self.dataplane = dataplane
    captures?.pipelineChanged()
  }

  /// Applies updates where captures see them.
  func apply(_ updates: [Update]) throws {
    guard let dataplane else { throw DataplaneError.noPipeline }
    try dataplane.apply(updates)
    captures?.tell(updates, at: clock.now)
  }

  /// Begins a capture; see ``FrameCaptures``.
  func capture<Result>(
    _ options: CaptureOptions, moment: ((any Dataplane)?, Timestamp) throws -> Result
  ) rethrows -> (LoopCapture, Result) {
    let now = clock.now
    let result = try moment(dataplane, now)
    let set = captures ?? CaptureSet(batchSize: Self.batchSize)
    captures = set
    return (set.add(options), result)
  }

  /// A frame that never reached the pipeline.
  func drop(
    _ reason: DropReason, _ frame: UnsafeMutableRawPointer, _ length: Int, at port: LoopPort
  ) {
    port.drop(reason.rawValue)
    captures?.tell(
      dropped: UnsafeRawBufferPointer(start: frame, count: length), reason, at: port.id,
      clock.now)
  }

  /// Frames of this port go through from now on.
  func attach(_ port: LoopPort) throws(KernelError) {
    try KernelError.check(cfw_epoll_add(epoll.number, port.fd, UInt64(port.id)))
    ports[port.id] = port
    portsByID[Int(port.id)] = port
  }

  func detach(_ id: PortID) {
    guard let port = ports.removeValue(forKey: id) else { return }
    portsByID[Int(id)] = nil
    ready.removeAll { $0 === port }
    ignore(port)
  }

  /// Looks no more for frames of a port.
  func ignore(_ port: LoopPort) {
    guard !port.isGone else { return }
    port.isGone = true
    cfw_epoll_remove(epoll.number, port.fd)
  }
}
