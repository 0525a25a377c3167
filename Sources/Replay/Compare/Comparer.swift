import Core

/// `k8sdp compare`: two dataplanes in lockstep, frame by frame.
public struct Comparer {
  public var run: ReplayRun
  /// Whether learned entries and counters are compared after each frame, which
  /// names the frame after which they part, and not only at the end.
  public var everyFrame: Bool

  public init(run: ReplayRun, everyFrame: Bool = false) {
    self.run = run
    self.everyFrame = everyFrame
  }

  /// Makes two dataplanes, compares them, and traces the frames that differ.
  public func compare(_ left: String, _ right: String, from factory: DataplaneFactory)
    throws(ReplayError) -> Comparison
  {
    let pair = try factory.makePair(left, right, clock: run.state.clock)
    var comparison = try compare(pair.left, pair.right)
    run.warn(comparison.outcome)
    guard !comparison.frameDifferences.isEmpty else { return comparison }
    let clock = pair.left.dataplane.clock
    if pair.left.dataplane is any TracingDataplane {
      let again = try factory.make(left, clock: clock)
      try addTraces(to: &comparison, from: again, side: \.left)
    }
    if pair.right.dataplane is any TracingDataplane {
      let again = try factory.make(right, clock: clock)
      try addTraces(to: &comparison, from: again, side: \.right)
    }
    return comparison
  }

  /// Compares two dataplanes that are fresh and count the same cycles.
  public func compare(_ left: LoadedDataplane, _ right: LoadedDataplane) throws(ReplayError)
    -> Comparison
  {
    let (a, b) = (left.dataplane, right.dataplane)
    guard a.clock == b.clock else {
      throw ReplayError(
        "\(a.name) and \(b.name)",
        "count cycles at \(a.clock.hertz) and \(b.clock.hertz) Hz; make both with one clock")
    }
    var comparison = Comparison(left: a.name, right: b.name)
    let live = left.live ?? right.live
    // When entries of a live dataplane expire, and what its tables count, cannot be read.
    comparison.hasState = a.contract.hasTables(of: b.contract) && live == nil
    let comparesEach = everyFrame && comparison.hasState
    comparison.outcome = try run.run([left, right]) { (frame, _) throws(ReplayError) in
      let one = push(frame, through: a)
      let two = push(frame, through: b)
      comparison.left.count(one.verdict)
      comparison.right.count(two.verdict)
      let agrees = one.agrees(with: two)
      if comparison.rows.count < Comparison.listed {
        comparison.rows.append(
          Comparison.Row(frame: frame, left: one.verdict, right: two.verdict, agrees: agrees))
      }
      if !agrees {
        comparison.differingFrames += 1
        if comparison.frameDifferences.count < Comparison.kept {
          comparison.frameDifferences.append(
            FrameDifference(frame: frame, left: one, right: two))
        }
      }
      if comparesEach, comparison.stateDifferences.isEmpty {
        comparison.stateDifferences = Self.state(a, b, at: frame.time)
        if !comparison.stateDifferences.isEmpty {
          comparison.stateDifferenceFrame = frame.number
        }
      }
      return true
    }
    if let live, live.learned != nil, a.contract.hasTables(of: b.contract) {
      comparison.hasEntries = true
      comparison.stateDifferences = try Self.entries(left, right, of: live)
    }
    if comparison.hasState, comparison.stateDifferences.isEmpty {
      comparison.stateDifferences = Self.state(a, b, at: comparison.outcome.end)
    }
    return comparison
  }

  /// Runs a fresh dataplane again and adds its traces to the differing frames.
  ///
  /// Does nothing when the dataplane does not trace. A trace only counts when
  /// it ends in the answer that was compared, so that a dataplane that traces
  /// otherwise than it processes is not believed.
  public func addTraces(
    to comparison: inout Comparison, from loaded: LoadedDataplane,
    side: WritableKeyPath<FrameDifference, FrameResult>
  ) throws(ReplayError) {
    guard let last = comparison.frameDifferences.last?.frame.number,
      let tracing = loaded.dataplane as? any TracingDataplane
    else { return }
    var differences = comparison.frameDifferences
    _ = try run.run([loaded]) { (frame, names) throws(ReplayError) in
      var bytes = frame.bytes
      let index = differences.firstIndex { $0.frame.number == frame.number }
      guard let index else {
        _ = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time)
        return frame.number < last
      }
      let trace = tracing.trace(&bytes, port: frame.port, at: frame.time, names: names)
      let traced = FrameResult(verdict: trace.verdict, bytes: bytes)
      if traced.agrees(with: differences[index][keyPath: side]) {
        differences[index][keyPath: side].trace = trace
      }
      return frame.number < last
    }
    comparison.frameDifferences = differences
  }

  private func push(_ frame: InputFrame, through dataplane: any Dataplane) -> FrameResult {
    var bytes = frame.bytes
    let verdict = dataplane.process(&bytes, port: frame.port, at: frame.time)
    return FrameResult(verdict: verdict, bytes: bytes)
  }

  /// The differences of learned entries, one side of which is live.
  private static func entries(
    _ left: LoadedDataplane, _ right: LoadedDataplane, of live: LiveTerms
  ) throws(ReplayError) -> [StateDifference] {
    let (local, remote) = left.live == nil ? (left, right) : (right, left)
    guard let learned = live.learned else { return [] }
    let shown: [TableEntry]
    do { shown = try learned() } catch {
      throw ReplayError(error, dataplane: remote.dataplane.name)
    }
    let certain = local.dataplane.learnedEntries(at: .zero).map {
      TableEntry(table: $0.table, key: $0.key, action: $0.action, arguments: $0.arguments)
    }
    return left.live == nil
      ? StateDifference.entries(certain, shown) : StateDifference.entries(shown, certain)
  }

  private static func state(_ a: any Dataplane, _ b: any Dataplane, at time: Timestamp)
    -> [StateDifference]
  {
    StateDifference.learned(a.learnedEntries(at: time), b.learnedEntries(at: time))
      + StateDifference.counters(a.counters(), b.counters())
  }
}

extension Contract {
  /// Whether two pipelines have the same tables and learners, by name.
  fileprivate func hasTables(of other: Contract) -> Bool {
    tables.map(\.name) == other.tables.map(\.name)
      && learners.map(\.name) == other.learners.map(\.name)
  }
}
