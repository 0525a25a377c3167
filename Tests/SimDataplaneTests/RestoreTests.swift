import Core
import Testing

@testable import SimDataplane

/// Flows that an earlier process had.
@Suite struct RestoreTests {
  private static let flow = LearnedEntry(
    table: "flows", key: [1, 2, 3, 4, 6, 5], action: "flow_hit", arguments: [1, 2, 3, 6, 1],
    timer: 5, expiry: EngineClock.origin + 100 << 32)

  private func dataplane() -> SimDataplane {
    var options = SimDataplane.Options()
    options.sizes = ["flows": 16, "fragments": 16]
    return SimDataplane(options: options)
  }

  @Test func whatWasReadIsPutBack() throws {
    let plane = dataplane()
    #expect(plane.restore([Self.flow]) == 1)
    #expect(plane.learnedEntries(at: .zero) == [Self.flow])
    // It is there already.
    #expect(plane.restore([Self.flow]) == 0)
    #expect(plane.learnedEntries(at: .zero) == [Self.flow])
  }

  @Test func whatIsNoFlowIsLeftOut() {
    let changes: [(inout LearnedEntry) -> Void] = [
      { $0.table = "fragments" }, { $0.table = "routes" }, { $0.action = "flow_miss" },
      { $0.timer = 8 },
      { $0.key = [1] }, { $0.key[0] = 1 << 32 }, { $0.key[2] = 1 << 32 }, { $0.arguments = [] },
      { $0.arguments[0] = 1 << 32 },
    ]
    for change in changes {
      var bad = Self.flow
      change(&bad)
      let plane = dataplane()
      #expect(plane.restore([bad, Self.flow]) == 1, "\(bad)")
      #expect(plane.learnedEntries(at: .zero) == [Self.flow])
    }
  }

  @Test func fragmentsAsWell() {
    let fragment = LearnedEntry(
      table: "fragments", key: [0x0AF4_0006, 0x0A60_0050, 7, 17], action: "fragment_hit",
      arguments: [42, 0x0AF4_0007, 1], timer: 0, expiry: EngineClock.origin + 3 << 32)
    let plane = dataplane()
    #expect(plane.restore([fragment]) == 1)
    #expect(plane.learnedEntries(at: .zero) == [fragment])
    #expect(plane.restore([fragment]) == 0)
    for change in [
      { $0.key[2] = 1 << 16 }, { $0.key[3] = 256 }, { $0.arguments[2] = 256 },
    ] as [(inout LearnedEntry) -> Void] {
      var bad = fragment
      bad.key[0] = 1
      change(&bad)
      #expect(plane.restore([bad]) == 0)
    }
  }

  /// Four entries a bucket: what finds no place is not there, and harms nobody.
  @Test func fullBucketsTakeNoMore() {
    let plane = dataplane()
    let flows = (0..<200).map { (n: UInt64) in
      var flow = Self.flow
      flow.key[0] = n
      return flow
    }
    let taken = plane.restore(flows)
    #expect((16...64).contains(taken))
    let entries = plane.learnedEntries(at: .zero)
    #expect(entries.count == taken)
    #expect(Set(entries).isSubset(of: flows))
  }
}
