import Core
import Foundation
import Testing

@testable import Replay

/// A snapshot half-way through each fixture, written to files and read again: what comes then is
/// as if nothing had been between.
@Suite struct SnapshotReplayTests {
  /// What an engine made of the frames from the middle on, and what it was told.
  private final class Half {
    var frames: [InputFrame] = []
    var results: [FrameResult] = []
    var rows: [TableEntry] = []
    var learned = StateSnapshot.Learned(hertz: 0, cycles: 0, entries: [])
    var changes: [StateSnapshot.Change] = []
    /// Entries at the end, their expiry counted from the middle.
    var end: [LearnedEntry] = []
  }

  /// Sees updates on their way.
  private final class Watched: Dataplane {
    let inner: any Dataplane
    var pending: [Update] = []
    init(_ inner: any Dataplane) { self.inner = inner }
    var name: String { inner.name }
    var contract: Contract { inner.contract }
    var clock: EngineClock { inner.clock }
    func apply(_ updates: [Update]) throws(DataplaneError) {
      try inner.apply(updates)
      pending += updates
    }
    func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
      try inner.entries(of: table)
    }
    func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
      try inner.setTimer(profile, seconds: seconds)
    }
    func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      inner.process(&frame, port: port, at: time)
    }
    func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
      inner.process(batch, at: time)
    }
    func learnedEntries(at time: Timestamp) -> [LearnedEntry] { inner.learnedEntries(at: time) }
    func counters() -> Counters { inner.counters() }
    func restore(_ entries: [LearnedEntry]) -> Int { inner.restore(entries) }
  }

  private static let factory = DataplaneFactory.k8sDP(sizes: FixtureFolder.sizes)
  #if DPDK
    private static let engines = [("model", "model"), ("dpdk", "dpdk"), ("dpdk", "model")]
  #else
    private static let engines = [("model", "model")]
  #endif

  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test(arguments: Fixture.all) func goesOn(_ fixture: Fixture) throws {
    for (first, second) in Self.engines {
      let whole = try firstHalf(of: fixture, on: first)
      guard !whole.frames.isEmpty else { continue }
      let folder = scratch.path + "/\(first)-\(second)"
      try write(whole, to: folder, timers: try fixture.run().state.timers)

      let run = try FixtureFolder(path: folder).run()
      let state = run.state
      #expect(state.snapshot?.rows.count == whole.rows.count)
      let loaded = try Self.factory.make(second, clock: state.clock)
      var results: [FrameResult] = []
      var end = Timestamp.zero
      _ = try run.run([loaded]) { (frame, _) throws(ReplayError) in
        var bytes = frame.bytes
        let verdict = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time)
        results.append(FrameResult(verdict: verdict, bytes: bytes))
        end = frame.time
        return true
      }
      try #require(results.count == whole.results.count)
      for (i, (found, expected)) in zip(results, whole.results).enumerated() {
        #expect(
          found.agrees(with: expected),
          "\(first) then \(second), frame \(whole.frames[i].number): \(found) \(expected)")
      }
      let start = loaded.dataplane.clock.start
      #expect(
        loaded.dataplane.learnedEntries(at: end).map { $0.counted(from: start) } == whole.end,
        "\(first) then \(second)")
    }
  }

  private func firstHalf(of fixture: Fixture, on engine: String) throws -> Half {
    let run = try fixture.run()
    var total = 0
    _ = try run.run([try Self.factory.make("model")]) { (_, _) throws(ReplayError) in
      total += 1
      return true
    }
    let half = Half()
    let watched = Watched(try Self.factory.make(engine).dataplane)
    var cycles: UInt64 = 0
    var end = Timestamp.zero
    var moment = Timestamp.zero
    _ = try run.run([LoadedDataplane(k8sDP: watched)]) { (frame, _) throws(ReplayError) in
      // The updates of an event come before the first frame that is not earlier.
      if frame.number == total / 2 + 1 {
        cycles = watched.clock.cycles(at: frame.time)
        moment = frame.time
        for table in watched.contract.tables {
          half.rows += (try? watched.entries(of: table.name)) ?? []
        }
        half.learned = StateSnapshot.Learned(
          hertz: watched.clock.hertz, cycles: cycles,
          entries: watched.learnedEntries(at: frame.time))
      } else if frame.number > total / 2, !watched.pending.isEmpty {
        half.changes.append(
          StateSnapshot.Change(
            at: Timestamp(nanoseconds: frame.time.nanoseconds - moment.nanoseconds),
            updates: watched.pending))
      }
      watched.pending = []
      var bytes = frame.bytes
      let verdict = watched.process(&bytes, port: frame.port, at: frame.time)
      guard frame.number > total / 2 else { return true }
      half.frames.append(frame)
      half.results.append(FrameResult(verdict: verdict, bytes: bytes))
      end = frame.time
      return true
    }
    half.end = watched.learnedEntries(at: end).map { $0.counted(from: cycles) }
    return half
  }

  private func write(_ half: Half, to folder: String, timers: [K8sDP.Timer: UInt32]) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func put(_ name: String, _ lines: [String]) throws {
      let text = lines.joined() + SnapshotText.end(lines.count - 1)
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    try put(
      SnapshotText.tables, [SnapshotText.tablesHeader] + half.rows.map { SnapshotText.line($0) })
    let header = SnapshotText.flowsHeader(hertz: half.learned.hertz, cycles: half.learned.cycles)
    try put(SnapshotText.flows, [header] + half.learned.entries.map { SnapshotText.line($0) })
    if !half.changes.isEmpty {
      let lines = half.changes.flatMap { change in
        ["at \(change.at.nanoseconds)\n"] + change.updates.compactMap { SnapshotText.line($0) }
      }
      try put(SnapshotText.updates, [SnapshotText.updatesHeader] + lines)
    }
    let text = SnapshotText.stateFile(
      moment: half.frames[0].nanoseconds, engine: "model", timers: timers,
      hasUpdates: !half.changes.isEmpty, names: NameBook())
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/state.yaml"))
    for (port, frames) in Dictionary(grouping: half.frames, by: \.port) {
      let writer = try PcapngWriter(
        path: "\(folder)/in-port-\(port).pcapng", interface: "port-\(port)")
      for frame in frames { try writer.write(frame.bytes, nanoseconds: frame.nanoseconds) }
      try writer.close()
    }
  }
}

extension LearnedEntry {
  fileprivate func counted(from start: UInt64) -> LearnedEntry {
    var entry = self
    entry.expiry = expiry &- start
    return entry
  }
}
