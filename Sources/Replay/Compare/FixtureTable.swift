import Core

/// Fixtures, each through several dataplanes: one row a fixture, one column a dataplane.
public struct FixtureTable: Hashable, Sendable, Encodable {
  /// What a dataplane made of a fixture.
  public struct Cell: Hashable, Sendable, Encodable {
    public var dataplane: String
    /// Frames that went through it.
    public var frames: Int
    /// Of them, those that fared otherwise than they should; of the model: ports whose
    /// frames are not the expected ones.
    public var differences: Int
    /// Learned entries and counters that differ from the model's.
    public var stateDifferences: Int
    /// Whether the fixture needs more ports than it can have.
    public var isLeftOut = false
  }

  public struct Row: Hashable, Sendable, Encodable {
    public var fixture: String
    /// The model's, then one for each other dataplane.
    public var cells: [Cell]
    /// What a live dataplane has not shown of the fixture, and why.
    public var remarks: [String]
  }

  /// Other than the model.
  public let dataplanes: [String]
  public private(set) var rows: [Row] = []

  public init(dataplanes: [String]) { self.dataplanes = dataplanes }

  public var isEqual: Bool {
    rows.allSatisfy { $0.cells.allSatisfy { $0.differences + $0.stateDifferences == 0 } }
  }

  /// Runs a fixture.
  public mutating func add(_ fixture: FixtureFolder, from factory: DataplaneFactory)
    throws(ReplayError)
  {
    let run = try fixture.run()
    var row = Row(fixture: fixture.name, cells: [try model(fixture, run, factory)], remarks: [])
    for name in dataplanes {
      let pair = try factory.makePair("model", name, clock: run.state.clock)
      let highest = max(run.state.highestPort, run.inputs.map(\.port).max() ?? 0)
      if let ports = pair.right.live?.ports, highest >= ports {
        row.cells.append(
          Cell(
            dataplane: name, frames: 0, differences: 0, stateDifferences: 0, isLeftOut: true))
        row.remarks.append("not run: it has a port \(highest), the server \(ports) ports")
        continue
      }
      let comparison = try Comparer(run: run).compare(pair.left, pair.right)
      let outcome = comparison.outcome
      row.cells.append(
        Cell(
          dataplane: name, frames: outcome.frames - outcome.notCarried.values.reduce(0, +),
          differences: comparison.differingFrames,
          stateDifferences: comparison.stateDifferences.count))
      guard let live = pair.right.live else { continue }
      let remarks =
        try remarks(outcome, run, factory)
        + (live.learned == nil ? ["learned entries cannot be read"] : [])
      row.remarks += remarks.filter { !row.remarks.contains($0) }
    }
    rows.append(row)
  }

  /// Holds the model against the fixture's captures of what leaves.
  private func model(
    _ fixture: FixtureFolder, _ run: ReplayRun, _ factory: DataplaneFactory
  ) throws(ReplayError) -> Cell {
    var forwarded: [PortID: [[UInt8]]] = [:]
    let results = try run.results(of: factory.make("model", clock: run.state.clock))
    for result in results {
      guard case .forward(let port) = result.verdict else { continue }
      forwarded[port, default: []].append(result.bytes)
    }
    var expected: [PortID: [[UInt8]]] = [:]
    for capture in fixture.captures("expect") {
      let reader = try CaptureReader(path: capture.path)
      while let frame = try reader.next() {
        expected[capture.port, default: []].append(frame.bytes)
      }
    }
    let ports = Set(forwarded.keys).union(expected.keys)
    return Cell(
      dataplane: "model", frames: results.count,
      differences: ports.count { forwarded[$0] != expected[$0] }, stateDifferences: 0)
  }

  private func remarks(
    _ outcome: ReplayRun.Outcome, _ run: ReplayRun, _ factory: DataplaneFactory
  ) throws(ReplayError) -> [String] {
    var remarks = outcome.notCarried.sorted { $0.key < $1.key }
      .map { "left out: \($0.value), \($0.key)" }
    if outcome.timersLeft > 0 {
      remarks.append("timers that are not set: \(outcome.timersLeft)")
    }
    let captured = try run.results(of: factory.make("model", clock: run.state.clock))
    let atOnce = try run.results(of: factory.make("model", clock: run.state.clock).withoutTime)
    let others = zip(captured, atOnce).count { !$0.agrees(with: $1) }
    if others > 0 { remarks.append("depend on time passing: \(others)") }
    return remarks
  }

  /// Lines for people.
  public var text: String {
    var table = TextTable()
    table.add("", ["frames", "model"] + dataplanes + ["live: frames"])
    for row in rows {
      let frames = TextTable.grouped(row.cells.map(\.frames).max() ?? 0)
      table.add(
        row.fixture,
        [frames] + row.cells.map(\.text) + [row.remarks.joined(separator: "; ")])
    }
    let differing = rows.count { $0.cells.contains { !["=", "-"].contains($0.text) } }
    let leftOut = rows.count { $0.cells.contains(where: \.isLeftOut) }
    return table.text + "\n\(rows.count) fixtures, "
      + (leftOut == 0 ? "" : "\(leftOut) left out, ")
      + (differing == 0 ? "all equal.\n" : "\(differing) differ.\n")
  }
}

extension FixtureTable.Cell {
  fileprivate var text: String {
    if isLeftOut { return "-" }
    if differences > 0 { return "\(differences) differ" }
    return stateDifferences > 0 ? "state differs" : "="
  }
}

extension ReplayRun {
  /// What a dataplane makes of every frame, in order.
  fileprivate func results(of loaded: LoadedDataplane) throws(ReplayError) -> [FrameResult] {
    var results: [FrameResult] = []
    _ = try run([loaded]) { (frame, _) throws(ReplayError) in
      var bytes = frame.bytes
      let verdict = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time)
      results.append(FrameResult(verdict: verdict, bytes: bytes))
      return true
    }
    return results
  }
}

extension LoadedDataplane {
  /// As if all frames came at once.
  fileprivate var withoutTime: LoadedDataplane {
    LoadedDataplane(
      dataplane, setTimer: setTimer, setIntent: setIntent, apply: apply,
      live: LiveTerms(refusal: { _ in nil }, learned: { [] }, audit: {}))
  }
}
