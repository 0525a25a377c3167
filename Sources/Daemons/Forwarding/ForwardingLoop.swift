import CForwarding
import Core
import Glibc
import Hosting

/// What the forwarding thread does and owns: ports, batch, dataplane.
///
/// A turn takes a burst of every port that has frames, pushes each burst through the
/// dataplane and sends what comes out. Work that others gave comes between turns.
final class ForwardingLoop {
  /// Frames that one port may bring in one turn, so that no port starves another.
  static let burst = 32
  private static let commandTag = UInt64.max
  private static let header = Int(CFWD_OFFLOAD_BYTES)

  let maximumPorts: Int
  let controllerPort: PortID?
  private let isPolling: Bool
  private let queue: CommandQueue
  private let epoll: Int32
  private(set) var ports: [Port?]
  var dataplane: (any Dataplane)?
  /// Frames that reached the controller's port.
  var toController: ([UInt8]) -> Void = { _ in }
  private var isStopping = false

  // A frame's offload header is read in front of it, and kept aside while the
  // dataplane uses the headroom.
  private var batch = FrameBatch(capacity: ForwardingLoop.burst, maximumLength: 65_600)
  private var offloads = [cfwd_offload](repeating: cfwd_offload(), count: ForwardingLoop.burst)
  private var frames = [cfwd_frame](repeating: cfwd_frame(), count: ForwardingLoop.burst)

  init(
    maximumPorts: Int, controllerPort: PortID?, isPolling: Bool, queue: CommandQueue
  ) throws(DataplaneError) {
    self.maximumPorts = maximumPorts
    self.controllerPort = controllerPort
    self.isPolling = isPolling
    self.queue = queue
    ports = Array(repeating: nil, count: maximumPorts)
    epoll = cfwd_epoll_make()
    guard epoll >= 0, cfwd_epoll_add(epoll, queue.event, Self.commandTag) == 0 else {
      throw DataplaneError(.unavailable, "forwarding", "no epoll descriptor; raise the file limit")
    }
  }

  deinit { close(epoll) }

  static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Timestamp(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// Runs until ``stop()``.
  func run() {
    var tags = [UInt64](repeating: 0, count: 64)
    while !isStopping {
      let ready = cfwd_epoll_wait(epoll, &tags, Int32(tags.count), isPolling ? 0 : -1)
      for tag in tags.prefix(Int(max(0, ready))) {
        if tag == Self.commandTag {
          for command in queue.take() { command(self) }
        } else if tag < UInt64(ports.count), let port = ports[Int(tag)] {
          receive(from: port)
        }
      }
    }
  }

  func stop() { isStopping = true }

  // MARK: Ports

  func add(_ description: PortDescription) throws(DataplaneError) -> PortID {
    try PortOpening.check(description)
    guard !ports.contains(where: { $0?.description.name == description.name }) else {
      throw DataplaneError(.alreadyExists, "port \(description.name)", "is there already")
    }
    let id = try freeID(description)
    let (descriptor, index) = try PortOpening.open(description)
    let port = Port(id: id, description: description, descriptor: descriptor, index: index)
    let status = cfwd_epoll_add(epoll, descriptor, UInt64(id))
    guard status == 0 else { throw PortOpening.refusal(description, status, "") }
    ports[Int(id)] = port
    return id
  }

  private func freeID(_ description: PortDescription) throws(DataplaneError) -> PortID {
    if let id = description.id {
      guard id < UInt32(maximumPorts), id != controllerPort else {
        throw DataplaneError(
          .outOfRange, "port \(description.name)", "the id \(id) cannot be; see --max-ports")
      }
      guard ports[Int(id)] == nil else {
        throw DataplaneError(.alreadyExists, "port \(description.name)", "the id \(id) is taken")
      }
      return id
    }
    guard
      let id = ports.indices.first(where: { ports[$0] == nil && PortID($0) != controllerPort })
    else {
      throw DataplaneError(
        .resourceExhausted, "port \(description.name)", "all \(maximumPorts) ids are taken")
    }
    return PortID(id)
  }

  /// - Parameter keepsInterface: leaves a TAP for the next process.
  func remove(_ name: String, keepsInterface: Bool = false) throws(DataplaneError) {
    guard let port = ports.compactMap({ $0 }).first(where: { $0.description.name == name }) else {
      throw DataplaneError(.notFound, "port \(name)", "is not there")
    }
    _ = cfwd_epoll_remove(epoll, port.descriptor)
    if port.description.kind == .tap, !keepsInterface { _ = cfwd_tap_release(port.descriptor) }
    ports[Int(port.id)] = nil
  }

  // MARK: Frames

  private func receive(from port: Port) {
    batch.removeAll()
    let room = batch.maximumLength + Self.header
    for i in 0..<Self.burst {
      frames[i] = cfwd_frame(start: batch.frame(i) - Self.header, length: UInt32(room))
    }
    let count = cfwd_receive(
      port.descriptor, port.isSocket ? 1 : 0, &frames, Int32(Self.burst))
    guard count > 0 else {
      if count < 0 { fail(port, count) }
      return
    }
    var kept = 0
    for i in 0..<Int(count) {
      let length = Int(frames[i].length) - Self.header
      port.counters.framesIn &+= 1
      port.counters.bytesIn &+= UInt64(max(0, length))
      guard length <= batch.maximumLength, length > 0 else {
        port.dropped[Int((length > 0 ? DropReason.oversized : .truncated).rawValue)] &+= 1
        continue
      }
      let start = batch.frame(i)
      var offload = cfwd_offload()
      withUnsafeMutableBytes(of: &offload) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: start - Self.header, count: Self.header))
      }
      guard Offload.isTrue(offload, of: UnsafeRawBufferPointer(start: start, count: length)) else {
        port.dropped[Int(DropReason.badOffload.rawValue)] &+= 1
        continue
      }
      if kept != i {
        // Rare: close the gap that a dropped frame left.
        batch.frame(kept).copyMemory(from: start, byteCount: length)
      }
      offloads[kept] = offload
      batch.commit(length: length, port: port.id)
      kept += 1
    }
    process(from: port)
  }

  /// Pushes a frame through that no port brought.
  func inject(_ frame: [UInt8]) throws(DataplaneError) {
    guard dataplane != nil, let controllerPort else {
      throw DataplaneError(.unavailable, "controller's port", "no pipeline is installed")
    }
    guard (1...batch.maximumLength).contains(frame.count) else {
      throw DataplaneError(.invalidArgument, "packet", "has \(frame.count) bytes")
    }
    batch.removeAll()
    _ = frame.withUnsafeBytes { batch.append($0, port: controllerPort) }
    offloads[0] = cfwd_offload()
    process(from: nil)
  }

  private func process(from source: Port?) {
    guard batch.count > 0 else { return }
    guard let dataplane else {
      source?.dropped[Int(DropReason.pipeline.rawValue)] &+= UInt64(batch.count)
      return
    }
    dataplane.process(batch, at: Self.now)
    var i = 0
    while i < batch.count {
      let verdict = batch.verdicts[i]
      if verdict & FrameBatch.dropBit != 0 {
        source?.dropped[Int(UInt8(truncatingIfNeeded: verdict))] &+= 1
        i += 1
        continue
      }
      // Frames in a row to one port leave together.
      var end = i + 1
      while end < batch.count, batch.verdicts[end] == verdict { end += 1 }
      send(i..<end, to: verdict, from: source)
      i = end
    }
  }

  private func send(_ range: Range<Int>, to id: PortID, from source: Port?) {
    if id == controllerPort {
      for i in range { toController(Array(batch.bytes(i))) }
      return
    }
    guard id < UInt32(ports.count), let port = ports[Int(id)] else {
      source?.dropped[Int(DropReason.badPort.rawValue)] &+= UInt64(range.count)
      return
    }
    for (k, i) in range.enumerated() {
      let start = batch.frame(i)
      let length = Int(batch.lengths[i])
      Offload.finish(
        offloads[i], UnsafeMutableRawBufferPointer(start: start, count: length))
      withUnsafeBytes(of: offloads[i]) {
        (start - Self.header).copyMemory(
          from: $0.baseAddress.unsafelyUnwrapped, byteCount: Self.header)
      }
      frames[k] = cfwd_frame(
        start: start - Self.header, length: UInt32(length + Self.header))
    }
    var next = 0
    frames.withUnsafeBufferPointer { frames in
      while next < range.count {
        let sent = cfwd_send(
          port.descriptor, port.isSocket ? 1 : 0, frames.baseAddress.unsafelyUnwrapped + next,
          Int32(range.count - next))
        // The interface does not take this one: full, down, or gone.
        if sent <= 0 {
          if sent == -EAGAIN || sent == -ENOBUFS || sent == -EIO || sent == -ENETDOWN {
            port.counters.refused &+= 1
          } else {
            port.counters.errorsOut &+= 1
          }
          next += 1
          continue
        }
        for i in range.dropFirst(next).prefix(Int(sent)) {
          port.counters.framesOut &+= 1
          port.counters.bytesOut &+= UInt64(batch.lengths[i])
        }
        next += Int(sent)
      }
    }
  }

  private func fail(_ port: Port, _ status: Int32) {
    port.counters.errorsIn &+= 1
    // Down for now, or for good; what is gone must not wake us again and again.
    if status != -ENETDOWN, status != -EIO {
      port.isGone = true
      _ = cfwd_epoll_remove(epoll, port.descriptor)
    }
  }
}
