/// The rates of a two-rate three-color marker (RFC 2698). What a byte is says the pipeline:
/// it names the length that is metered.
public struct MeterRates: Hashable, Sendable {
  /// Bytes a second.
  public var committed: UInt64
  /// Bytes.
  public var committedBurst: UInt64
  /// Bytes a second; not below ``committed``.
  public var peak: UInt64
  /// Bytes.
  public var peakBurst: UInt64

  public init(committed: UInt64, committedBurst: UInt64, peak: UInt64, peakBurst: UInt64) {
    self.committed = committed
    self.committedBurst = committedBurst
    self.peak = peak
    self.peakBurst = peakBurst
  }
}

/// What a meter has marked, color by color.
public struct MeterCounts: Hashable, Sendable {
  public struct Color: Hashable, Sendable {
    public var packets: UInt64
    public var bytes: UInt64
    public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
      self.packets = packets
      self.bytes = bytes
    }
  }

  public var green = Color()
  public var yellow = Color()
  public var red = Color()
  public init() {}
}
