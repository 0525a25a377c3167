import Core
import SimDataplane
import Testing

@testable import Replay

/// The model takes a frame alone, alone with a trace, or in a batch: always the same way.
@Suite struct WaysThroughTheModelTests {
  private enum Way: CaseIterable {
    case alone
    case traced
    case batch
  }

  /// What became of each frame, and what there is at the end.
  private struct Outcome: Equatable {
    var frames: [[UInt8]] = []
    var verdicts: [Verdict] = []
    var learned: [LearnedEntry] = []
    var counters = Counters()
    var registers: [UInt64] = []
    var tables: [[TableEntry]] = []

    mutating func end(_ plane: any Dataplane, at time: Timestamp) throws {
      learned = plane.learnedEntries(at: time)
      counters = plane.counters()
      registers = try plane.registers(K8sDP.dropsRegister)
      tables = try plane.contract.tables.map { try plane.entries(of: $0.name) }
      #expect(registers.reduce(0, +) == counters.droppedByPipeline.values.reduce(0, +))
    }
  }

  private func push(
    _ frame: inout [UInt8], _ way: Way, through plane: any Dataplane, at time: Timestamp,
    _ names: NameBook
  ) throws -> Verdict {
    switch way {
    case .alone: return plane.process(&frame, port: FuzzEpisode.port, at: time)
    case .traced:
      let tracing = try #require(plane as? any TracingDataplane)
      let trace = tracing.trace(&frame, port: FuzzEpisode.port, at: time, names: names)
      #expect(!trace.explanation.isEmpty)
      #expect(!trace.steps.isEmpty)
      return trace.verdict
    case .batch:
      var batch = FrameBatch(capacity: 1, maximumLength: FrameBatch.longestFrame)
      let isTaken = frame.withUnsafeBytes { batch.append($0, port: FuzzEpisode.port) }
      try #require(isTaken)
      plane.process(batch, at: time)
      frame.withUnsafeMutableBytes { $0.copyMemory(from: batch.bytes(0)) }
      return Verdict(encoded: batch.verdicts[0])
    }
  }

  @Test(arguments: Fixture.all)
  func fixture(_ fixture: Fixture) throws {
    let outcomes = try Way.allCases.map { way in
      let loaded = try DataplaneFactory.k8sDP(sizes: FixtureTests.sizes).make("model")
      var outcome = Outcome()
      var problem: (any Error)?
      let run = try fixture.run().run([loaded]) { (frame, names) throws(ReplayError) in
        var bytes = frame.bytes
        // A batch has room for frames only; what is longer is not one.
        guard bytes.count <= FrameBatch.longestFrame else { return true }
        do {
          outcome.verdicts.append(
            try push(&bytes, way, through: loaded.dataplane, at: frame.time, names))
        } catch { problem = error }
        outcome.frames.append(bytes)
        return true
      }
      if let problem { throw problem }
      try outcome.end(loaded.dataplane, at: run.end)
      return outcome
    }
    #expect(outcomes[1] == outcomes[0])
    #expect(outcomes[2] == outcomes[0])
  }

  @Test(arguments: UInt64(1)...4)
  func fuzz(seed: UInt64) throws {
    let outcomes = try Way.allCases.map { way in
      var generator = FuzzGenerator(seed: seed)
      let loaded = try DataplaneFactory.k8sDP(sizes: generator.episode.sizes, ports: 16)
        .make("model")
      for (timer, seconds) in generator.episode.timers { try loaded.setTimer(timer, seconds) }
      var names = NameBook(generator.episode.intent)
      try loaded.setIntent(generator.episode.intent)
      var outcome = Outcome()
      var time = Timestamp.zero
      for _ in 0..<3000 {
        let step = generator.next(clock: loaded.dataplane.clock)
        time = step.time
        switch step.event {
        case .intent(let intent):
          names = NameBook(intent)
          try loaded.setIntent(intent)
        // Most of them are not there.
        case .row(let entry): try? loaded.dataplane.apply([.modify(entry)])
        case .frame(var bytes):
          let verdict = try push(&bytes, way, through: loaded.dataplane, at: time, names)
          generator.saw(verdict, bytes)
          outcome.frames.append(bytes)
          outcome.verdicts.append(verdict)
        }
      }
      try outcome.end(loaded.dataplane, at: time)
      return outcome
    }
    #expect(outcomes[1] == outcomes[0])
    #expect(outcomes[2] == outcomes[0])
  }
}
