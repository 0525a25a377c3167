import Core

/// What a run keeps to when a dataplane's frames go through real interfaces in real time.
///
/// How long that takes is up to the machine. So that it does not matter, nothing expires:
/// all dataplanes of such a run have ``timers``, and all frames come at once.
public struct LiveTerms {
  /// Seconds.
  public static let timers = Dictionary(
    uniqueKeysWithValues: K8sDP.Timer.allCases.map { ($0, K8sDP.Timer.longest) })

  /// How many ports there can be; nil for as many as are wanted.
  public var ports: Int?
  /// Why an interface carries no such frame, or nil. The frame is left out.
  public var refusal: ([UInt8]) -> String?
  /// The entries that the dataplane has learned, without when they expire; nil when they
  /// cannot be read.
  public var learned: (() throws(DataplaneError) -> [TableEntry])?
  /// Throws when it cannot be vouched for what was seen of frames so far.
  public var audit: () throws(DataplaneError) -> Void

  public init(
    ports: Int? = nil,
    refusal: @escaping ([UInt8]) -> String?,
    learned: (() throws(DataplaneError) -> [TableEntry])?,
    audit: @escaping () throws(DataplaneError) -> Void
  ) {
    self.ports = ports
    self.refusal = refusal
    self.learned = learned
    self.audit = audit
  }
}
