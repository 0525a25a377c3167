import Core

/// What a run keeps to when a dataplane's frames go through real interfaces in real time.
///
/// All dataplanes of such a run then have frames at the time that it is, not at the time
/// when they were captured, and keep the pipeline's own timers.
public struct LiveTerms {
  /// The time now.
  public var now: () -> Timestamp
  /// Why an interface carries no such frame, or nil. The frame is left out.
  public var refusal: ([UInt8]) -> String?
  /// The entries that the dataplane has learned, when they expire apart.
  public var learned: () throws(DataplaneError) -> [TableEntry]
  /// Throws when it cannot be vouched for what was seen of frames so far.
  public var audit: () throws(DataplaneError) -> Void

  public init(
    now: @escaping () -> Timestamp, refusal: @escaping ([UInt8]) -> String?,
    learned: @escaping () throws(DataplaneError) -> [TableEntry],
    audit: @escaping () throws(DataplaneError) -> Void
  ) {
    self.now = now
    self.refusal = refusal
    self.learned = learned
    self.audit = audit
  }
}
