/// One packet pipeline with its tables: the reference model, DPDK's SWX engine,
/// or a remote `infrap4d`.
///
/// A dataplane is **deterministic**: the same updates and the same frames with
/// the same timestamps give the same verdicts, bytes, learned entries and
/// counters on every implementation. It reads no clock: time is an argument.
///
/// A dataplane is not thread-safe. One thread at a time drives it.
public protocol Dataplane: AnyObject {
  /// A short name for reports, such as `model` or `dpdk`.
  var name: String { get }

  /// The tables, actions and sizes of the loaded pipeline.
  var contract: Contract { get }

  /// The rate of the engine's cycle counter, which quantises its timers.
  var clock: EngineClock { get }

  /// Applies all updates, or none of them.
  ///
  /// Every update is validated against ``contract`` and against the present
  /// entries before the first one takes effect.
  func apply(_ updates: [Update]) throws(DataplaneError)

  /// The entries of a table in canonical order (ascending key).
  func entries(of table: String) throws(DataplaneError) -> [TableEntry]

  /// Sets one of the eight expire-time profiles. Only later arming uses it.
  ///
  /// - Parameters:
  ///   - profile: 0...7.
  ///   - seconds: 1 or more.
  func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError)

  /// Pushes one frame through the pipeline and waits for it.
  ///
  /// - Parameters:
  ///   - frame: An Ethernet frame without frame check sequence, rewritten in
  ///     place. Its length never changes.
  ///   - port: The port it came in on.
  ///   - time: Virtual time; must not go backwards.
  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict

  /// The hot path: pushes every frame of the batch, with results equal to as
  /// many calls of ``process(_:port:at:)`` at the same time. Allocates nothing.
  func process(_ batch: borrowing FrameBatch, at time: Timestamp)

  /// All live learned entries at a time, in canonical order.
  func learnedEntries(at time: Timestamp) -> [LearnedEntry]

  /// A part of the live learned entries, in no order: so a large table can be read
  /// without keeping frames waiting for long. All parts together are all entries, if
  /// nothing changes meanwhile.
  ///
  /// - Parameter part: 0..<parts.
  func learnedEntries(at time: Timestamp, part: Int, of parts: Int) -> [LearnedEntry]

  /// The engine's cycle count at a time, to which ``LearnedEntry/expiry`` refers.
  func cycles(at time: Timestamp) -> UInt64

  /// Puts learned entries into a pipeline that has none yet.
  ///
  /// - Returns: how many found room.
  func restore(_ entries: [LearnedEntry]) -> Int

  /// A snapshot of every counter of the pipeline.
  func counters() -> Counters

  /// The values of a register array of the pipeline, such as a counter's.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array that is not there.
  func registers(_ name: String) throws(DataplaneError) -> [UInt64]

  /// The value of one register.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array or index that is not
  ///   there.
  func register(_ name: String, _ index: Int) throws(DataplaneError) -> UInt64

  /// Sets one register.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array or index that is not
  ///   there.
  func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError)

  /// Where an entry is in the arrays that the pipeline keeps of entries, such as direct
  /// counters (see ``PipelineSpec/entryArrays(of:)-(PipelineSpec.Table)``): 1 or more, and 0 is a miss. It
  /// changes with other entries of the table; the entry's values go with it, and those of a
  /// new entry are 0.
  ///
  /// - Returns: nil for an entry that is not there.
  /// - Throws: ``DataplaneError/Code/notFound`` for a table that is not there.
  func index(of key: [UInt64], in table: String) throws(DataplaneError) -> Int?

  /// When an entry of a table whose spec says ``PipelineSpec/Table/tracksHits`` was last hit;
  /// zero if never.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an entry that is not there.
  func lastHit(of key: [UInt64], in table: String) throws(DataplaneError) -> Timestamp

  /// Makes a time the one at which an entry was last hit.
  ///
  /// - Throws: as ``lastHit(of:in:)``.
  func setLastHit(
    of key: [UInt64], in table: String, to time: Timestamp
  ) throws(DataplaneError)

  /// Sets the rates of one meter; nil makes everything green. Its buckets are full then.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array or index that is not there,
  ///   ``DataplaneError/Code/invalidArgument`` for rates that the engine cannot have.
  func setMeter(_ name: String, _ index: Int, to rates: MeterRates?) throws(DataplaneError)

  /// What one meter has marked.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array or index that is not there.
  func meterCounts(_ name: String, _ index: Int) throws(DataplaneError) -> MeterCounts

  /// Makes the counts of one meter 0.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` for an array or index that is not there.
  func clearMeterCounts(_ name: String, _ index: Int) throws(DataplaneError)
}

extension Dataplane {
  /// Frame by frame. An implementation that is to be fast has its own.
  public func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
    for i in 0..<batch.count {
      var frame = [UInt8](batch.bytes(i))
      let verdict = process(&frame, port: batch.ports[i], at: time)
      batch.verdicts[i] = verdict.encoded
      guard case .forward = verdict, frame.count == Int(batch.lengths[i]) else { continue }
      UnsafeMutableRawBufferPointer(start: batch.frame(i), count: frame.count).copyBytes(
        from: frame)
    }
  }

  public func learnedEntries(at time: Timestamp, part: Int, of parts: Int) -> [LearnedEntry] {
    part == 0 ? learnedEntries(at: time) : []
  }

  public func cycles(at time: Timestamp) -> UInt64 { clock.cycles(at: time) }

  public func restore(_ entries: [LearnedEntry]) -> Int { 0 }

  public func registers(_ name: String) throws(DataplaneError) -> [UInt64] {
    throw DataplaneError(.notFound, name, "no such register array")
  }

  public func register(_ name: String, _ index: Int) throws(DataplaneError) -> UInt64 {
    let values = try registers(name)
    guard values.indices.contains(index) else {
      throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register")
    }
    return values[index]
  }

  public func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {
    throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register")
  }

  public func index(of key: [UInt64], in table: String) throws(DataplaneError) -> Int? {
    throw DataplaneError(.notFound, table, "no entry of it has an index")
  }

  public func lastHit(of key: [UInt64], in table: String) throws(DataplaneError) -> Timestamp {
    throw DataplaneError(.notFound, table, "the times of hits are not kept")
  }

  public func setLastHit(
    of key: [UInt64], in table: String, to time: Timestamp
  ) throws(DataplaneError) {
    throw DataplaneError(.notFound, table, "the times of hits are not kept")
  }

  public func setMeter(
    _ name: String, _ index: Int, to rates: MeterRates?
  ) throws(DataplaneError) {
    throw DataplaneError(.notFound, "\(name)[\(index)]", "no such meter")
  }

  public func meterCounts(_ name: String, _ index: Int) throws(DataplaneError) -> MeterCounts {
    throw DataplaneError(.notFound, "\(name)[\(index)]", "no such meter")
  }

  public func clearMeterCounts(_ name: String, _ index: Int) throws(DataplaneError) {
    throw DataplaneError(.notFound, "\(name)[\(index)]", "no such meter")
  }
}
