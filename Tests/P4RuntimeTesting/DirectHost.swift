import Core
import Hosting
import Synchronization

/// A host without threads and ports: whoever asks gets the dataplane, one at a time.
public actor DirectHost: DataplaneHost {
  private var dataplane: (any Dataplane)?
  private struct Time {
    var now = Timestamp.zero
    var sleepers: [Int: (until: Timestamp, continuation: CheckedContinuation<Void, any Error>)] =
      [:]
    var last = 0
  }

  private let time = Mutex(Time())

  public init() {}

  public func withDataplane<Result: Sendable>(
    _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) throws -> Result {
    guard let dataplane else {
      throw DataplaneError(.unavailable, "dataplane", "no pipeline is installed")
    }
    return try body(dataplane)
  }

  public func install(_ make: @escaping @Sendable () throws -> any Dataplane) throws {
    dataplane = try make()
  }

  public func uninstall() { dataplane = nil }

  public nonisolated var now: Timestamp { time.withLock(\.now) }

  /// Sets the time of frames, of reads and of who sleeps.
  public nonisolated func advance(to now: Timestamp) {
    let awake = time.withLock { time in
      time.now = now
      let awake = time.sleepers.filter { $0.value.until <= now }
      for id in awake.keys { time.sleepers[id] = nil }
      return awake.map(\.value.continuation)
    }
    for continuation in awake { continuation.resume() }
  }

  public nonisolated func sleep(until: Timestamp) async throws {
    let id = time.withLock { time in
      time.last += 1
      return time.last
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isOver = time.withLock { time in
          guard !Task.isCancelled, until > time.now else { return true }
          time.sleepers[id] = (until, continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
      try Task.checkCancellation()
    } onCancel: {
      time.withLock { $0.sleepers.removeValue(forKey: id)?.continuation }?
        .resume(throwing: CancellationError())
    }
  }

  /// Pushes a frame through, and returns what becomes of it.
  public func process(
    _ frame: [UInt8], port: PortID
  ) throws -> (verdict: Verdict, frame: [UInt8]) {
    guard let dataplane else {
      throw DataplaneError(.unavailable, "dataplane", "no pipeline is installed")
    }
    var frame = frame
    let verdict = dataplane.process(&frame, port: port, at: now)
    return (verdict, frame)
  }
}
