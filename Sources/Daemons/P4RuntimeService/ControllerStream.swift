import P4RuntimeProtos
import Synchronization

/// What a controller's stream still has to be told.
///
/// Packets and errors may be dropped when the controller does not read; news of
/// arbitration may not, so a controller that lets too much of it pile up is cut off.
final class ControllerStream: Sendable {
  let id: UInt64
  let messages: AsyncStream<P4_V1_StreamMessageResponse>
  private let continuation: AsyncStream<P4_V1_StreamMessageResponse>.Continuation
  private let cut: AsyncStream<Never>
  private let cutContinuation: AsyncStream<Never>.Continuation
  private let room: Mutex<Int>
  /// Messages that may wait; half of them are kept for arbitration.
  static let capacity = 1024

  init(id: UInt64) {
    self.id = id
    room = Mutex(Self.capacity)
    (messages, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    (cut, cutContinuation) = AsyncStream.makeStream()
  }

  /// - Returns: whether the stream still takes messages.
  func send(_ message: P4_V1_StreamMessageResponse, isDroppable: Bool) -> Bool {
    let isRoom = room.withLock { room in
      guard room > (isDroppable ? Self.capacity / 2 : 0) else { return false }
      room -= 1
      return true
    }
    guard isRoom else {
      if isDroppable { return true }
      cutContinuation.finish()
      return false
    }
    continuation.yield(message)
    return true
  }

  /// A message was written to the wire.
  func didWrite() { room.withLock { $0 += 1 } }

  /// No message comes after those that wait.
  func finish() { continuation.finish() }

  /// Returns when the controller has let too much pile up, or the task is cancelled.
  func untilCut() async { for await _ in cut {} }
}
