import Core
import Dispatch
import Logging
import P4RuntimeCodec
import Synchronization

/// A remote `infrap4d` as a ``Dataplane``: tables over P4Runtime, frames through the
/// interfaces of its ports.
///
/// Calls wait for the server, so they must not be made on Swift's concurrency pool; code
/// there takes ``Infrap4dClient``. Time is the server's own: frames are processed when
/// they arrive, whatever time is given.
public final class Infrap4dDataplane: Dataplane {
  public let name = "infrap4d"
  public let contract: Contract
  public let clock: EngineClock
  public let client: Infrap4dClient
  private let wire: (any FrameWire)?

  /// Waits until the server is ready.
  ///
  /// - Parameter wire: how frames get to the server and back; nil drops all of them.
  /// - Throws: ``DataplaneError/Code/unavailable``.
  public init(
    _ client: Infrap4dClient, wire: (any FrameWire)? = nil
  ) throws(DataplaneError) {
    self.client = client
    self.wire = wire
    contract = try Self.wait { () async throws(DataplaneError) in
      try await client.ready()
      return await client.contract
    }
    // A remote engine's cycles cannot be seen.
    clock = .model
  }

  public func apply(_ updates: [Update]) throws(DataplaneError) {
    let client = client
    try Self.wait { () async throws(DataplaneError) in try await client.apply(updates) }
  }

  public func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    let client = client
    return try Self.wait { () async throws(DataplaneError) in try await client.entries(of: table) }
  }

  /// P4Runtime has no word for it.
  ///
  /// - Throws: ``DataplaneError/Code/unimplemented``.
  public func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
    throw DataplaneError(
      .unimplemented, "timer \(profile)", "P4Runtime cannot set the times of learned entries")
  }

  public func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    wire?.exchange(&frame, port: port) ?? .drop(.pipeline)
  }

  public func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
    for i in 0..<batch.count {
      var frame = [UInt8](batch.bytes(i))
      let verdict = process(&frame, port: batch.ports[i], at: time)
      batch.verdicts[i] = verdict.encoded
      guard case .forward = verdict, frame.count == Int(batch.lengths[i]) else { continue }
      frame.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress {
          batch.frame(i).copyMemory(from: start, byteCount: bytes.count)
        }
      }
    }
  }

  /// The entries that can be seen; when they expire cannot.
  public func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }

  /// Frames as the wire saw them.
  public func counters() -> Counters { wire?.counters() ?? Counters() }

  /// Waits for an asynchronous call.
  private static func wait<Result: Sendable>(
    _ body: @escaping @Sendable () async throws(DataplaneError) -> Result
  ) throws(DataplaneError) -> Result {
    let result = Mutex<Swift.Result<Result, DataplaneError>?>(nil)
    let done = DispatchSemaphore(value: 0)
    let box = Box(result)
    Task.detached {
      do throws(DataplaneError) {
        let value = try await body()
        box.value.withLock { $0 = .success(value) }
      } catch {
        box.value.withLock { $0 = .failure(error) }
      }
      done.signal()
    }
    done.wait()
    guard let outcome = box.value.withLock({ $0 }) else {
      preconditionFailure("signalled without a result")
    }
    return try outcome.get()
  }

  /// A mutex cannot be captured by itself.
  private final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
  }
}

/// A way for frames to a server's ports and back.
public protocol FrameWire: AnyObject {
  /// Sends a frame into a port and waits for what becomes of it.
  func exchange(_ frame: inout [UInt8], port: PortID) -> Verdict

  /// Frames so far, by port out and by drop reason.
  func counters() -> Counters
}
