import Core

/// What one dataplane made of a frame.
public struct FrameResult: Hashable, Sendable {
  public var verdict: Verdict
  /// The frame afterwards; only looked at when it was forwarded.
  public var bytes: [UInt8]
  /// Filled in for frames that differ, from dataplanes that trace.
  public var trace: FrameTrace?

  public init(verdict: Verdict, bytes: [UInt8], trace: FrameTrace? = nil) {
    self.verdict = verdict
    self.bytes = bytes
    self.trace = trace
  }

  /// Whether two results are the same answer. The bytes of a dropped frame do
  /// not leave the dataplane and are no answer.
  public func agrees(with other: FrameResult) -> Bool {
    guard verdict == other.verdict else { return false }
    guard case .forward = verdict else { return true }
    return bytes == other.bytes
  }
}

/// A frame that two dataplanes answered differently.
public struct FrameDifference: Hashable, Sendable {
  public var frame: InputFrame
  public var left: FrameResult
  public var right: FrameResult

  public init(frame: InputFrame, left: FrameResult, right: FrameResult) {
    self.frame = frame
    self.left = left
    self.right = right
  }
}
