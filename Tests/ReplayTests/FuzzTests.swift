import Core
import Foundation
import SimDataplane
import Testing

@testable import Replay

@Suite struct FuzzTests {
  /// The model, but for one fault: what has IP options leaves with its TTL as it
  /// was.
  final class Faulty: Dataplane {
    let inner: SimDataplane
    init(_ inner: SimDataplane) { self.inner = inner }
    let name = "faulty"
    var contract: Contract { inner.contract }
    var clock: EngineClock { inner.clock }
    func apply(_ updates: [Update]) throws(DataplaneError) { try inner.apply(updates) }
    func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
      try inner.entries(of: table)
    }
    func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
      try inner.setTimer(profile, seconds: seconds)
    }
    func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      let verdict = inner.process(&frame, port: port, at: time)
      if let ip = FrameLayers(frame).ipv4, ip.header.count > IPv4Header.length {
        frame[ip.header.lowerBound + IPv4Header.ttl] &+= 1
      }
      return verdict
    }
    func process(_ batch: borrowing FrameBatch, at time: Timestamp) {}
    func learnedEntries(at time: Timestamp) -> [LearnedEntry] { inner.learnedEntries(at: time) }
    func counters() -> Counters { inner.counters() }
  }

  private func fuzzer(frames: Int, right: String, folder: String? = nil) -> Fuzzer {
    var fuzzer = Fuzzer(seed: 7, frames: frames, left: "model", right: right, folder: folder)
    fuzzer.factory = { episode in
      var factory = DataplaneFactory.k8sDP(sizes: episode.sizes, ports: 16)
      factory.recipes.append(
        DataplaneFactory.Recipe(name: "faulty") { (_) throws(ReplayError) in
          var options = SimDataplane.Options()
          options.sizes = episode.sizes
          return LoadedDataplane(k8sDP: Faulty(SimDataplane(options: options)))
        })
      return factory
    }
    return fuzzer
  }

  @Test func theSameSeedGivesTheSameRun() throws {
    let one = try fuzzer(frames: 7000, right: "model").run()
    #expect(one.failure == nil)
    #expect(one.frames == 7000)
    #expect(one.episodes == 3)
    #expect(one.frames == one.forwarded + one.dropped.values.reduce(0, +))
    #expect(try fuzzer(frames: 7000, right: "model").run() == one)
    var other = fuzzer(frames: 7000, right: "model")
    other.seed = 8
    #expect(try other.run() != one)
  }

  #if DPDK
    @Test func modelAndDPDKAgree() throws {
      let report = try fuzzer(frames: 20_000, right: "dpdk").run()
      #expect(report.failure == nil, "\(report.text)")
      let rare: Set<DropReason> = [.oversized, .badPort, .pipeline, .badOffload, .noPipeline]
      for reason in DropReason.allCases where !rare.contains(reason) {
        #expect(report.dropped[reason.name, default: 0] > 0, "\(reason.name)")
      }
    }
  #endif

  /// It is found, cut down to the first frame and the faulty one, and what is
  /// written shows it again.
  @Test func aFaultBecomesAFixture() throws {
    let scratch = try Scratch()
    let fuzzer = fuzzer(frames: 9000, right: "faulty", folder: scratch.path)
    let failure = try #require(try fuzzer.run().failure)
    #expect(failure.what == "bytes differ in IPv4 TTL")
    #expect(failure.steps == 2)
    let path = try #require(failure.fixture)
    let fixture = Fixture(name: "found", folder: URL(fileURLWithPath: path))
    let pair = try fuzzer.factory(FuzzGenerator(seed: 1).episode).makePair("model", "faulty")
    let comparison = try Comparer(run: fixture.run()).compare(pair.left, pair.right)
    #expect(comparison.frameDifferences.map(\.frame.number) == [2])
    let readme = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: path + "/README.md")), as: UTF8.self)
    #expect(readme.hasPrefix("Found by fuzzing, seed \(failure.seed): bytes differ in IPv4 TTL\n"))
  }

  @Test func whatIsNeitherMadeNorKnownIsRefused() {
    #expect(throws: ReplayError.self) { try fuzzer(frames: 10, right: "nothing").run() }
  }
}
