/// Virtual time in nanoseconds since the dataplane's first frame or update.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static func seconds(_ seconds: Double) -> Timestamp {
    Timestamp(nanoseconds: UInt64(seconds * 1e9))
  }

  public static let zero = Timestamp(nanoseconds: 0)

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// Turns virtual time into cycles of the engine's counter.
///
/// SWX stores an expiry as the upper 32 bits of a cycle count, so a timer of
/// T seconds really lasts between T − 2³²/hertz and T (DPDK 22.11,
/// rte_swx_table_learner.c). The model counts the same cycles.
public struct EngineClock: Hashable, Sendable {
  /// Cycles a second.
  public var hertz: UInt64
  /// The count at time zero: above 2³², because a table that was never written must look
  /// expired.
  public var start: UInt64

  public init(hertz: UInt64, start: UInt64 = Self.origin) {
    self.hertz = hertz
    self.start = start
  }

  /// The rate the model uses when it is not compared with an engine.
  public static let model = EngineClock(hertz: 2_000_000_000)

  /// Where counting starts unless a snapshot of another engine says otherwise.
  public static let origin: UInt64 = 1 << 33

  /// The cycle count at a time.
  public func cycles(at time: Timestamp) -> UInt64 {
    let (high, low) = time.nanoseconds.multipliedFullWidth(by: hertz)
    return start + 1_000_000_000.dividingFullWidth((high, low)).quotient
  }

  /// The length of a timer in cycles: at least 2³², as the engine has it.
  public func cycles(seconds: UInt32) -> UInt64 {
    max(UInt64(seconds) * hertz, 1 << 32)
  }
}

extension Int {
  fileprivate func dividingFullWidth(_ dividend: (UInt64, UInt64)) -> (
    quotient: UInt64, remainder: UInt64
  ) {
    UInt64(self).dividingFullWidth(dividend)
  }
}
