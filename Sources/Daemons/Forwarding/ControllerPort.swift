import Core

/// The pipeline's port to its controller: frames leave by a stream, and are dropped
/// while nobody takes them.
final class ControllerPort: Sendable {
  /// Frames that wait for the controller at most. A controller that is slower loses
  /// the later ones, as at a full interface.
  static let longestQueue = 256

  let id: PortID
  let frames: AsyncStream<[UInt8]>
  private let continuation: AsyncStream<[UInt8]>.Continuation

  init(_ id: PortID) {
    self.id = id
    (frames, continuation) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(Self.longestQueue))
  }

  func deliver(_ frame: [UInt8]) { continuation.yield(frame) }

  func close() { continuation.finish() }
}
