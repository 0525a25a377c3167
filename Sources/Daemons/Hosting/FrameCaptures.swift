import Core

/// Which frames a capture is to see, and how much of them.
public struct CaptureOptions: Sendable {
  /// Frames that come in or leave by one of these; nil is all.
  public var ports: Set<PortID>?
  /// Frames that did not go on: dropped for one of ``reasons``, or refused by the interface.
  public var lostOnly = false
  /// With ``lostOnly``: nil is all.
  public var reasons: Set<DropReason>?
  /// With ``lostOnly``: frames that the interface did not take.
  public var refused = true
  /// A frame is seen when this is true of it as it came in, or as it left. Called on the
  /// forwarding thread.
  public var filter: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  /// Bytes of a frame at most.
  public var snapLength = FrameBatch.longestFrame
  /// The capture ends after so many frames.
  public var count = UInt64.max
  /// Bytes that wait for the reader at most; what comes then is missed.
  public var bufferSize = 16 << 20
  /// Whether updates of tables are seen, too; then another pipeline ends the capture.
  public var seesUpdates = false

  public init() {}
}

/// What a capture saw since the last time.
public struct CaptureBatch: Sendable {
  /// A frame's way through.
  public struct Frame: Sendable {
    /// When it entered the pipeline. No two frames or updates have the same.
    public var time: Timestamp
    public var port: PortID
    /// What became of it; with the host's own reasons.
    public var verdict: Verdict
    /// The interface of the port that it was for did not take it.
    public var isRefused: Bool
    /// Whether a pipeline has seen it.
    public var enteredPipeline: Bool
    /// Bytes as it came in, and as it left.
    public var length: Int
    public var outLength: Int
    /// Where it is in ``CaptureBatch/bytes`` as it came in.
    public var bytes: Range<Int>
    /// The same as it left; nil when it was dropped, or is the same.
    public var out: Range<Int>?

    public init(
      time: Timestamp, port: PortID, verdict: Verdict, isRefused: Bool, enteredPipeline: Bool,
      length: Int, outLength: Int, bytes: Range<Int>, out: Range<Int>?
    ) {
      self.time = time
      self.port = port
      self.verdict = verdict
      self.isRefused = isRefused
      self.enteredPipeline = enteredPipeline
      self.length = length
      self.outLength = outLength
      self.bytes = bytes
      self.out = out
    }
  }

  public struct Change: Sendable {
    public var time: Timestamp
    public var updates: [Update]

    public init(time: Timestamp, updates: [Update]) {
      self.time = time
      self.updates = updates
    }
  }

  /// In the order in which the dataplane took them.
  public var frames: [Frame] = []
  /// The bytes of all of them, whole checksums included unless they were cut.
  public var bytes: [UInt8] = []
  /// In order; see ``CaptureOptions/seesUpdates``.
  public var changes: [Change] = []
  /// Frames since the capture began that the reader was too slow for.
  public var missed: UInt64 = 0

  public init() {}
}

/// A look at the frames of a pipeline, from its beginning until it is closed.
public protocol FrameCapture: AnyObject, Sendable {
  /// What came since the last call; waits for something. nil when it has ended and all was
  /// told. One reader at a time.
  func next() async -> CaptureBatch?

  /// No more frames; those that were seen can still be read.
  func close()

  /// Whether another pipeline ended it.
  var lostPipeline: Bool { get }
}

/// The frames of a pipeline, for those who look.
public protocol FrameCaptures: Sendable {
  /// Begins to look.
  ///
  /// - Parameter moment: runs where the dataplane is driven, after the last frame that is not
  ///   seen and before the first that is; with nil when no pipeline is installed.
  /// - Throws: what `moment` throws, and ``DataplaneError/Code/unavailable`` when the host has
  ///   stopped.
  func capture<Result: Sendable>(
    _ options: CaptureOptions,
    moment: @escaping @Sendable ((any Dataplane)?, Timestamp) throws -> Result
  ) async throws -> (capture: any FrameCapture, moment: Result)
}
