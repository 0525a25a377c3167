import Core
import Hosting
import Synchronization

/// A host without threads and ports: whoever asks gets the dataplane, one at a time.
public actor DirectHost: DataplaneHost {
  private var dataplane: (any Dataplane)?
  private let time = Mutex(Timestamp.zero)

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

  public nonisolated var now: Timestamp { time.withLock { $0 } }

  /// Sets the time of frames and of reads.
  public nonisolated func advance(to now: Timestamp) { time.withLock { $0 = now } }

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
