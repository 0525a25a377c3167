/// Every counter of a pipeline, by name.
public struct Counters: Hashable, Sendable {
  /// Look-ups of one table.
  public struct Table: Hashable, Sendable {
    public var hit: UInt64 = 0
    public var miss: UInt64 = 0
    /// Action name → times it ran from this table.
    public var actions: [String: UInt64] = [:]
    public init() {}
  }

  /// Look-ups of one learner table.
  public struct Learner: Hashable, Sendable {
    public var hit: UInt64 = 0
    public var miss: UInt64 = 0
    public var learned: UInt64 = 0
    /// The bucket of the key was full.
    public var learnFailed: UInt64 = 0
    public var rearmed: UInt64 = 0
    public var actions: [String: UInt64] = [:]
    public init() {}
  }

  public var tables: [String: Table] = [:]
  public var learners: [String: Learner] = [:]
  /// Drop reason → frames, the host's reasons included.
  public var dropped: [DropReason: UInt64] = [:]
  /// Drop reason → frames as the pipeline counts them, in its own `drops`: the same
  /// without the host's reasons.
  public var droppedByPipeline: [DropReason: UInt64] = [:]
  /// Port → frames.
  public var forwarded: [PortID: UInt64] = [:]

  public init() {}

  /// Counts a frame, for pipelines that do not count themselves.
  public mutating func count(_ verdict: Verdict) {
    switch verdict {
    case .forward(let port): forwarded[port, default: 0] += 1
    case .drop(let reason): dropped[reason, default: 0] += 1
    }
  }
}
