import Core

/// What came out of running two dataplanes side by side.
public struct Comparison: Hashable, Sendable {
  /// One dataplane's totals.
  public struct Side: Hashable, Sendable {
    public var name: String
    public var forwarded: [PortID: Int] = [:]
    public var dropped: [DropReason: Int] = [:]

    public init(name: String) { self.name = name }

    public var forwardedTotal: Int { forwarded.values.reduce(0, +) }
    public var droppedTotal: Int { dropped.values.reduce(0, +) }

    mutating func count(_ verdict: Verdict) {
      switch verdict {
      case .forward(let port): forwarded[port, default: 0] += 1
      case .drop(let reason): dropped[reason, default: 0] += 1
      }
    }
  }

  /// One frame in a report's list.
  public struct Row: Hashable, Sendable {
    public var frame: InputFrame
    public var left: Verdict
    public var right: Verdict
    public var agrees: Bool
  }

  /// Frames a report lists.
  public static let listed = 500
  /// Differing frames kept in full.
  public static let kept = 10

  public var left: Side
  public var right: Side
  public var outcome = ReplayRun.Outcome()
  /// Frames with another verdict or other bytes.
  public var differingFrames = 0
  /// The first ``kept`` of them.
  public var frameDifferences: [FrameDifference] = []
  /// Whether learned entries and counters were compared: not those of two pipelines,
  /// nor those of a live dataplane.
  public var hasState = true
  /// Whether learned entries were compared, without the times at which they expire: those
  /// of a live dataplane.
  public var hasEntries = false
  /// Learned entries and counters that differ.
  public var stateDifferences: [StateDifference] = []
  /// The frame after which ``stateDifferences`` were first seen, or nil when
  /// they were only looked for at the end.
  public var stateDifferenceFrame: Int?
  /// The first ``listed`` frames.
  public var rows: [Row] = []

  public init(left: String, right: String) {
    self.left = Side(name: left)
    self.right = Side(name: right)
  }

  public var isEqual: Bool { differingFrames == 0 && stateDifferences.isEmpty }

  /// 0 when the dataplanes agree, 1 when not.
  public var exitCode: Int32 { isEqual ? 0 : 1 }
}
