import Core
import Hosting
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One capture: the forwarding thread fills it, a reader empties it.
final class LoopCapture: FrameCapture {
  /// What a frame takes beside its bytes, about.
  private static let overhead = 96

  let options: CaptureOptions
  /// Of the frames of the batch, a bit each: the filter accepts it as it came in. Touched on
  /// the forwarding thread only.
  nonisolated(unsafe) private var accepted: UInt64 = 0
  private let state: Mutex<State>
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation

  private struct State {
    var batch = CaptureBatch()
    /// Frames whose transport checksum is still to be made.
    var unfinished: [(frame: Int, offload: Offload)] = []
    /// Frames that were told so far.
    var count: UInt64 = 0
    var isClosed = false
    var lostPipeline = false

    var isEmpty: Bool { batch.frames.isEmpty && batch.changes.isEmpty }
    var size: Int { batch.bytes.count + LoopCapture.overhead * batch.frames.count }
  }

  init(_ options: CaptureOptions) {
    self.options = options
    state = Mutex(State())
    (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  // MARK: The forwarding thread

  var isClosed: Bool { state.withLock { $0.isClosed } }

  func begin() { accepted = 0 }

  func filter(_ frame: UnsafeRawBufferPointer, _ index: Int) {
    if options.filter?(frame) == true { accepted |= 1 << UInt64(index) }
  }

  /// - Parameter first: the time of the first of them; the others follow it by a nanosecond.
  func tell(_ views: [CaptureView], from first: UInt64) {
    let accepted = accepted
    let isNews = state.withLock { state in
      let wasEmpty = state.isEmpty
      for (i, view) in views.enumerated() {
        guard !state.isClosed else { break }
        guard isWanted(view, isAccepted: accepted >> UInt64(i) & 1 == 1) else { continue }
        add(view, at: Timestamp(nanoseconds: first &+ UInt64(i)), to: &state)
      }
      return wasEmpty && !state.isEmpty
    }
    if isNews { signal.yield() }
    if isClosed { signal.finish() }
  }

  func tell(_ change: CaptureBatch.Change) {
    let isNews = state.withLock { state in
      guard !state.isClosed else { return false }
      let wasEmpty = state.isEmpty
      state.batch.changes.append(change)
      return wasEmpty
    }
    if isNews { signal.yield() }
  }

  func pipelineChanged() {
    guard options.seesUpdates else { return }
    state.withLock { $0.lostPipeline = true }
    close()
  }

  private func isWanted(_ view: CaptureView, isAccepted: Bool) -> Bool {
    let verdict = Verdict(encoded: view.verdict)
    if let ports = options.ports, !ports.contains(view.port) {
      guard case .forward(let port) = verdict, ports.contains(port) else { return false }
    }
    if options.lostOnly {
      switch verdict {
      case .drop(let reason):
        if let reasons = options.reasons, !reasons.contains(reason) { return false }
      case .forward: if !view.isRefused || !options.refused { return false }
      }
    }
    guard let filter = options.filter, !isAccepted else { return true }
    guard case .forward = verdict else { return false }
    return filter(view.after)
  }

  private func add(_ view: CaptureView, at time: Timestamp, to state: inout State) {
    let before = Self.cut(view.before, options.snapLength)
    let after = Self.cut(view.after, options.snapLength)
    let verdict = Verdict(encoded: view.verdict)
    var isChanged = false
    if case .forward = verdict {
      isChanged = view.length != view.after.count || !Self.areEqual(before, after)
    }
    let size = before.count + (isChanged ? after.count : 0) + Self.overhead
    guard state.size + size <= options.bufferSize else {
      state.batch.missed += 1
      return
    }
    let start = state.batch.bytes.count
    state.batch.bytes.append(contentsOf: before)
    let middle = state.batch.bytes.count
    if isChanged { state.batch.bytes.append(contentsOf: after) }
    if view.offload.isPartial { state.unfinished.append((state.batch.frames.count, view.offload)) }
    state.batch.frames.append(
      CaptureBatch.Frame(
        time: time, port: view.port, verdict: verdict, isRefused: view.isRefused,
        enteredPipeline: view.enteredPipeline, length: view.length, outLength: view.after.count,
        bytes: start..<middle, out: isChanged ? middle..<state.batch.bytes.count : nil))
    state.count += 1
    if state.count >= options.count { state.isClosed = true }
  }

  private static func cut(
    _ bytes: UnsafeRawBufferPointer, _ length: Int
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes.baseAddress, count: min(bytes.count, length))
  }

  private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
      return a.count == b.count
    }
    return memcmp(first, second, a.count) == 0
  }

  // MARK: The reader

  func next() async -> CaptureBatch? {
    while true {
      let (batch, isClosed) = take()
      if let batch { return batch }
      guard !isClosed else { return nil }
      // Ended by close(), or because the reader was cancelled.
      var iterator = signals.makeAsyncIterator()
      guard await iterator.next() != nil else { return take().batch }
    }
  }

  private func take() -> (batch: CaptureBatch?, isClosed: Bool) {
    let (batch, unfinished, isClosed) = state.withLock { state in
      guard !state.isEmpty else {
        return (CaptureBatch?.none, [(frame: Int, offload: Offload)](), state.isClosed)
      }
      let (batch, unfinished) = (state.batch, state.unfinished)
      // The memory goes with the reader, not to be copied under the lock.
      state.batch = CaptureBatch()
      state.batch.missed = batch.missed
      state.unfinished = []
      return (batch, unfinished, state.isClosed)
    }
    guard var batch else { return (nil, isClosed) }
    for (index, offload) in unfinished { finish(batch.frames[index], offload, &batch.bytes) }
    return (batch, isClosed)
  }

  /// Makes the transport checksum that the kernel has left to the interface: a reader cannot
  /// know of that, and would take it for wrong.
  private func finish(_ frame: CaptureBatch.Frame, _ offload: Offload, _ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      if frame.bytes.count == frame.length {
        offload.finishChecksum(of: base + frame.bytes.lowerBound, length: frame.length)
      }
      if let out = frame.out, out.count == frame.outLength {
        offload.finishChecksum(of: base + out.lowerBound, length: frame.outLength)
      }
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    signal.finish()
  }

  var lostPipeline: Bool { state.withLock { $0.lostPipeline } }
}
