import Core
import Foundation
import Testing

@testable import Replay

/// Every action of every table, on a hit and on a miss, every outcome of learning
/// and every drop reason happens in a fixture or in a fuzz run of one seed.
@Suite struct PipelineCoverageTests {
  /// What cannot happen, and why: the lines `pipeline | ITEM` below `# REASON`.
  static let unreachable: [String: String] = {
    let file = Fixture.root.deletingLastPathComponent()
      .appendingPathComponent("scripts/coverage/unreachable.txt")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    var reasons: [String: String] = [:]
    var reason = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# ") {
        reason = String(line.dropFirst(2))
      } else if line.hasPrefix("pipeline | ") {
        reasons[String(line.dropFirst(11))] = reason
      }
    }
    return reasons
  }()

  @Test func everythingReachableIsReached() throws {
    var fixtures: [String: UInt64] = [:]
    for fixture in Fixture.all {
      let loaded = try DataplaneFactory.k8sDP(sizes: FixtureTests.sizes).make("model")
      _ = try fixture.forwarded(by: loaded)
      add(loaded.dataplane.counters(), to: &fixtures)
    }
    var fuzzed: [String: UInt64] = [:]
    for seed in UInt64(1)...8 {
      var generator = FuzzGenerator(seed: seed)
      let loaded = try DataplaneFactory.k8sDP(sizes: generator.episode.sizes, ports: 16)
        .make("model")
      try loaded.setIntent(generator.episode.intent)
      for _ in 0..<3000 {
        let step = generator.next(clock: loaded.dataplane.clock)
        switch step.event {
        case .intent(let intent): try loaded.setIntent(intent)
        // Most of them are not there.
        case .row(let entry): try? loaded.dataplane.apply([.modify(entry)])
        case .frame(var bytes):
          let verdict = loaded.dataplane.process(&bytes, port: FuzzEpisode.port, at: step.time)
          generator.saw(verdict, bytes)
        }
      }
      add(loaded.dataplane.counters(), to: &fuzzed)
    }
    let unknown = Set(Self.unreachable.keys).subtracting(Self.items)
    #expect(unknown.isEmpty, "listed as unreachable, but there is no such thing")
    for item in Self.items {
      let isReached = fixtures[item, default: 0] > 0 || fuzzed[item, default: 0] > 0
      #expect(
        isReached == (Self.unreachable[item] == nil),
        "\(item): fixtures \(fixtures[item, default: 0]), fuzz \(fuzzed[item, default: 0])")
    }
    try write(fixtures, fuzzed)
  }

  /// One line for each thing that can be counted.
  static let items: [String] = {
    var items: [String] = []
    for table in K8sDP.contract.tables {
      items += table.actions.map { "table \(table.name) hit \($0)" }
      items.append("table \(table.name) miss \(table.defaultAction)")
    }
    for learner in K8sDP.contract.learners {
      items += learner.actions.map { "learner \(learner.name) hit \($0)" }
      items += ["miss", "learned", "bucket full"].map { "learner \(learner.name) \($0)" }
    }
    items.append("learner flows timer started again")
    return items + DropReason.allCases.map { "drop \($0.name)" }
  }()

  private func add(_ counters: Counters, to seen: inout [String: UInt64]) {
    for table in K8sDP.contract.tables {
      let found = counters.tables[table.name] ?? .init()
      for action in table.actions {
        seen["table \(table.name) hit \(action)", default: 0] += found.actions[action] ?? 0
      }
      seen["table \(table.name) miss \(table.defaultAction)", default: 0] += found.miss
    }
    for (name, found) in counters.learners {
      for (action, count) in found.actions {
        seen["learner \(name) hit \(action)", default: 0] += count
      }
      seen["learner \(name) miss", default: 0] += found.miss
      seen["learner \(name) learned", default: 0] += found.learned
      seen["learner \(name) bucket full", default: 0] += found.learnFailed
      seen["learner \(name) timer started again", default: 0] += found.rearmed
    }
    for (reason, count) in counters.dropped { seen["drop \(reason.name)", default: 0] += count }
  }

  /// For `make coverage`: each item with its counts, in the file that the environment
  /// names.
  private func write(_ fixtures: [String: UInt64], _ fuzzed: [String: UInt64]) throws {
    guard let path = ProcessInfo.processInfo.environment["K8SDP_COVERAGE"] else { return }
    struct Row: Encodable {
      var item: String
      var fixtures: UInt64
      var fuzz: UInt64
      var unreachable: String?
    }
    let rows = Self.items.map {
      Row(
        item: $0, fixtures: fixtures[$0, default: 0], fuzz: fuzzed[$0, default: 0],
        unreachable: Self.unreachable[$0])
    }
    try JSONEncoder().encode(rows).write(to: URL(fileURLWithPath: path))
  }
}
