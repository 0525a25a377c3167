import Core

/// Two dataplanes that are given the same, and what must hold of both.
struct FuzzPair {
  /// What is wrong: where the two part, or where both break a rule.
  struct Finding: Error {
    var frame: Int
    var what: String

    /// A difference, or the rule that both break, whatever the numbers in its text.
    var kind: String {
      what.hasPrefix("both: ") ? what.split(whereSeparator: \.isNumber).joined() : "difference"
    }
  }

  let left: any Dataplane
  let right: any Dataplane
  private let setIntents: [(Intent) throws(DataplaneError) -> Void]
  private var frames = 0
  private var invariants = FuzzInvariants()
  private var now = Timestamp.zero
  /// Frames between two looks at learned entries and counters.
  private let interval: Int

  /// - Throws: ``ReplayError`` when a dataplane cannot be set up.
  init(
    _ episode: FuzzEpisode, _ left: LoadedDataplane, _ right: LoadedDataplane, interval: Int
  ) throws(ReplayError) {
    self.interval = interval
    self.left = left.dataplane
    self.right = right.dataplane
    setIntents = [left.setIntent, right.setIntent]
    for plane in [self.left, self.right] {
      for (timer, seconds) in episode.timers {
        do { try plane.setTimer(timer.profile, seconds: seconds) } catch {
          throw ReplayError(error, dataplane: plane.name)
        }
      }
    }
    do { try set(episode.intent) } catch { throw ReplayError("fuzz", error.what) }
  }

  /// Plays one step through both.
  ///
  /// - Returns: what came of a frame, nil for a change.
  mutating func play(_ step: FuzzEpisode.Step) throws(Finding) -> (Verdict, [UInt8])? {
    now = step.time
    switch step.event {
    case .intent(let intent):
      try set(intent)
      return nil
    case .row(let entry):
      invariants.overwrite()
      try change { side throws(DataplaneError) in
        try (side == 0 ? left : right).apply([.modify(entry)])
      }
      return nil
    case .frame(let frame):
      let outcome = try push(frame)
      if frames.isMultiple(of: interval) { try compareState() }
      return outcome
    }
  }

  /// Compares what is left at the end.
  mutating func finish() throws(Finding) {
    try compareState()
    if let problem = invariants.finish(on: left) { throw finding("both: \(problem)") }
    for table in left.contract.tables.map(\.name) {
      let rows: [[TableEntry]]
      do throws(DataplaneError) {
        rows = [try left.entries(of: table), try right.entries(of: table)]
      } catch { throw finding(error.description) }
      guard rows[0] == rows[1] else { throw finding("table \(table) differs") }
    }
  }

  private mutating func set(_ intent: Intent) throws(Finding) {
    guard try change({ side throws(DataplaneError) in try setIntents[side](intent) }) else {
      return
    }
    // Which flows were there when the change came.
    let entries = left.learnedEntries(at: now)
    if let problem = invariants.learned(entries) ?? invariants.change(to: intent, on: left) {
      throw finding("both: \(problem)")
    }
  }

  /// Both take a change, or both refuse it for the same reason.
  ///
  /// - Returns: whether they took it.
  @discardableResult
  private func change(
    _ make: (Int) throws(DataplaneError) -> Void
  ) throws(Finding) -> Bool {
    var errors: [DataplaneError?] = []
    for side in 0...1 {
      do throws(DataplaneError) {
        try make(side)
        errors.append(nil)
      } catch { errors.append(error) }
    }
    guard errors[0] == errors[1] else {
      throw finding(
        "updates: \(left.name) \(errors[0]?.description ?? "took them"), "
          + "\(right.name) \(errors[1]?.description ?? "took them")")
    }
    return errors[0] == nil
  }

  private mutating func push(_ frame: [UInt8]) throws(Finding) -> (Verdict, [UInt8]) {
    frames += 1
    var one = frame
    var two = frame
    let verdict = left.process(&one, port: FuzzEpisode.port, at: now)
    let other = right.process(&two, port: FuzzEpisode.port, at: now)
    guard verdict == other else {
      throw finding(
        "\(left.name) \(TraceText.verdict(verdict)), \(right.name) \(TraceText.verdict(other))")
    }
    if case .forward = verdict, one != two {
      let offsets = one.indices.filter { $0 >= two.count || one[$0] != two[$0] }
      throw finding(
        "bytes differ in "
          + FrameFields(one).names(of: Array(offsets)).joined(separator: ", "))
    }
    if case .drop = verdict { one = frame }
    let cycles = left.clock.cycles(at: now)
    if let problem = invariants.check(before: frame, after: one, verdict, cycles: cycles) {
      throw finding("both: \(problem)")
    }
    return (verdict, one)
  }

  private mutating func compareState() throws(Finding) {
    let (one, two) = (left.counters(), right.counters())
    if let difference = StateDifference.counters(one, two).first {
      throw finding(text(difference))
    }
    let total = one.forwarded.values.reduce(0, +) + one.dropped.values.reduce(0, +)
    guard total == UInt64(frames) else {
      throw finding("both: \(frames) frames went in, \(total) are counted")
    }
    let entries = left.learnedEntries(at: now)
    let difference = StateDifference.learned(entries, right.learnedEntries(at: now)).first
    if let difference { throw finding(text(difference)) }
    if let problem = invariants.learned(entries) {
      throw finding("both: \(problem)")
    }
  }

  private func text(_ difference: StateDifference) -> String {
    "\(difference.what): \(left.name) \(difference.left ?? "none"), "
      + "\(right.name) \(difference.right ?? "none")"
  }

  private func finding(_ what: String) -> Finding { Finding(frame: frames, what: what) }
}
