import Core

/// A frame on its way into a dataplane.
public struct InputFrame: Hashable, Sendable {
  /// Its place in the merged input, from 1.
  public var number: Int
  public var port: PortID
  /// Since the first frame of the merged input.
  public var time: Timestamp
  /// Nanoseconds since 1970-01-01 00:00 UTC.
  public var nanoseconds: UInt64
  public var bytes: [UInt8]
  /// The file it came from, and its number there.
  public var source: String
  public var sourceNumber: Int
}

/// Several captures as one sequence of frames in the order of their times.
///
/// Frames of the same time come lower port first, then in the order the files
/// were given. A file's own order is never changed: a time before that of the
/// frame above it is raised to it and counted in ``clamped``.
public struct MergedCapture {
  /// No capture may span more, so that engine cycles fit in 64 bits.
  static let longestSpan: UInt64 = 10 * 366 * 86_400 * 1_000_000_000

  private struct Source {
    var input: CaptureInput
    var reader: CaptureReader
    var head: CapturedFrame?
  }

  private var sources: [Source] = []
  /// Nanoseconds since 1970 of time zero: of the first frame, unless it is given.
  private var start: UInt64?
  private var count = 0
  /// Frames whose time went backwards in their file.
  public private(set) var clamped = 0

  /// Opens every file and reads the first frame of each.
  ///
  /// - Parameter moment: time zero, nanoseconds since 1970; nil is the first frame's.
  public init(_ inputs: [CaptureInput], moment: UInt64? = nil) throws(ReplayError) {
    start = moment
    for input in inputs {
      let reader = try CaptureReader(path: input.path)
      sources.append(Source(input: input, reader: reader, head: try reader.next()))
    }
    // Stable: sources of the same port keep the order they were given in.
    let order = sources.indices.sorted {
      (sources[$0].input.port, $0) < (sources[$1].input.port, $1)
    }
    sources = order.map { sources[$0] }
  }

  /// The next frame, or nil when every file is at its end.
  public mutating func next() throws(ReplayError) -> InputFrame? {
    var best: (index: Int, nanoseconds: UInt64)?
    for (index, source) in sources.enumerated() {
      guard let head = source.head else { continue }
      if let found = best, found.nanoseconds <= head.nanoseconds { continue }
      best = (index, head.nanoseconds)
    }
    guard let best, let frame = sources[best.index].head else { return nil }
    try advance(best.index, after: frame)

    let start = self.start ?? frame.nanoseconds
    self.start = start
    count += 1
    let source = sources[best.index]
    guard frame.nanoseconds >= start else {
      throw ReplayError(
        "\(source.input.path): frame \(frame.number)",
        "is earlier than the moment of the state file; leave out \"moment\" there, and the first "
          + "frame begins")
    }
    let elapsed = frame.nanoseconds - start
    guard elapsed <= Self.longestSpan else {
      throw ReplayError(
        "\(source.input.path): frame \(frame.number)",
        "is more than ten years after the beginning; correct its time stamp")
    }
    return InputFrame(
      number: count, port: source.input.port, time: Timestamp(nanoseconds: elapsed),
      nanoseconds: frame.nanoseconds, bytes: frame.bytes, source: source.input.path,
      sourceNumber: frame.number)
  }

  private mutating func advance(_ index: Int, after frame: CapturedFrame) throws(ReplayError) {
    var head = try sources[index].reader.next()
    if let next = head, next.nanoseconds < frame.nanoseconds {
      head?.nanoseconds = frame.nanoseconds
      clamped += 1
    }
    sources[index].head = head
  }
}
