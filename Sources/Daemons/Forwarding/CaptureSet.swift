import CForwarding
import Core
import Hosting

/// A frame of a batch, before and after.
struct CaptureView {
  var port: PortID
  /// An encoded ``Verdict``, with the host's own reasons.
  var verdict: UInt32
  var isRefused: Bool
  var enteredPipeline: Bool
  /// As it came in: as much of it as somebody wants, and how long it was.
  var before: UnsafeRawBufferPointer
  var length: Int
  /// As it left.
  var after: UnsafeRawBufferPointer
  var offload: Offload
}

/// Those who look at frames, on the forwarding thread. It is there only while there are some.
///
/// A frame is rewritten where it lies. So it is copied before it enters the dataplane, and told
/// when it has been sent.
final class CaptureSet {
  private var captures: [LoopCapture] = []
  private let batchSize: Int
  /// The frames of a batch as they came in.
  private let copies: UnsafeMutableRawPointer
  private var lengths: [Int]
  /// Bytes that are copied of a frame at most: what the greediest wants.
  private var copied = 0
  /// What the last frame was told to have happened at, in nanoseconds.
  private var last: UInt64 = 0
  private var views: [CaptureView] = []

  private static let stride = (FrameBatch.longestFrame + 63) & ~63

  init(batchSize: Int) {
    precondition(batchSize <= 64, "a capture has a bit for each frame of a batch")
    self.batchSize = batchSize
    copies = .allocate(byteCount: batchSize * Self.stride, alignment: 64)
    lengths = Array(repeating: 0, count: batchSize)
    views.reserveCapacity(batchSize)
  }

  deinit { copies.deallocate() }

  var isEmpty: Bool { captures.isEmpty }

  func add(_ options: CaptureOptions) -> LoopCapture {
    let capture = LoopCapture(options)
    captures.append(capture)
    copied = max(copied, options.snapLength)
    return capture
  }

  func closeAll() { for capture in captures { capture.close() } }

  /// Another pipeline is there, or none any more.
  func pipelineChanged() { for capture in captures { capture.pipelineChanged() } }

  /// Keeps what frames are before they enter the dataplane.
  func take(_ batch: borrowing FrameBatch) {
    captures.removeAll(where: \.isClosed)
    copied = captures.reduce(0) { max($0, $1.options.snapLength) }
    for i in 0..<batch.count {
      let length = Int(batch.lengths[i])
      lengths[i] = length
      (copies + i * Self.stride).copyMemory(
        from: batch.frame(i), byteCount: min(length, copied, Self.stride))
    }
    for capture in captures {
      capture.begin()
      guard capture.options.filter != nil else { continue }
      for i in 0..<batch.count { capture.filter(batch.bytes(i), i) }
    }
  }

  /// Tells what became of the frames that were taken.
  ///
  /// - Parameters:
  ///   - transfers: one for each frame that was sent to an interface, in order.
  ///   - now: when they entered the dataplane.
  func tell(
    _ batch: borrowing FrameBatch, _ offloads: UnsafePointer<Offload>,
    _ transfers: UnsafePointer<cfw_transfer>, controller: PortID?, hasPipeline: Bool,
    at now: Timestamp
  ) {
    guard batch.count > 0, !captures.isEmpty else { return }
    views.removeAll(keepingCapacity: true)
    var sent = 0
    for i in 0..<batch.count {
      let verdict = batch.verdicts[i]
      var isRefused = false
      if verdict & FrameBatch.dropBit == 0, verdict != controller {
        isRefused = transfers[sent].result < 0
        sent += 1
      }
      let kept = min(lengths[i], copied, Self.stride)
      views.append(
        CaptureView(
          port: batch.ports[i], verdict: verdict, isRefused: isRefused,
          enteredPipeline: hasPipeline,
          before: UnsafeRawBufferPointer(start: copies + i * Self.stride, count: kept),
          length: lengths[i], after: batch.bytes(i), offload: offloads[i]))
    }
    let first = stamps(views.count, at: now)
    for capture in captures { capture.tell(views, from: first) }
  }

  /// Tells of a frame that the host dropped on its own.
  func tell(
    dropped frame: UnsafeRawBufferPointer, _ reason: DropReason, at port: PortID, _ now: Timestamp
  ) {
    let view = CaptureView(
      port: port, verdict: Verdict.drop(reason).encoded, isRefused: false, enteredPipeline: false,
      before: frame, length: frame.count, after: frame, offload: .none)
    let stamp = stamps(1, at: now)
    for capture in captures {
      capture.begin()
      if capture.options.filter != nil { capture.filter(frame, 0) }
      capture.tell([view], from: stamp)
    }
  }

  func tell(_ updates: [Update], at now: Timestamp) {
    let stamp = stamps(1, at: now)
    for capture in captures where capture.options.seesUpdates {
      capture.tell(CaptureBatch.Change(time: Timestamp(nanoseconds: stamp), updates: updates))
    }
  }

  /// Times of things that happen one after another: a batch has one for all its frames, but
  /// those who read want to know their order.
  private func stamps(_ count: Int, at now: Timestamp) -> UInt64 {
    let first = max(last &+ 1, now.nanoseconds)
    last = first &+ UInt64(count) &- 1
    return first
  }
}
