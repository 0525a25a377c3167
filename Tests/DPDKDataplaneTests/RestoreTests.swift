#if DPDK
  import Core
  import Foundation
  import Testing

  @testable import Replay

  /// Learned entries of one dataplane, put into another.
  @Suite(.serialized) struct RestoreTests {
    private static let fixtures = FixtureFolder.all(
      in: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path)
    private let factory = DataplaneFactory.k8sDP(sizes: FixtureFolder.sizes)

    /// What a fixture leaves behind, and the state of its tables then.
    private func life(
      of fixture: FixtureFolder
    ) throws -> (left: LoadedDataplane, right: LoadedDataplane, end: Timestamp, last: Intent) {
      let pair = try factory.makePair("model", "dpdk")
      let run = try fixture.run()
      var end = Timestamp.zero
      _ = try run.run([pair.left]) { (frame, _) throws(ReplayError) in
        var bytes = frame.bytes
        _ = pair.left.dataplane.process(&bytes, port: frame.port, at: frame.time)
        end = frame.time
        return true
      }
      let last = run.state.events.last { $0.at <= end }?.intent ?? run.state.intent
      return (pair.left, pair.right, end, last)
    }

    /// Both have them as they were, at the same cycles.
    @Test func everyFlowOfEveryFixture() throws {
      var count = 0
      for fixture in Self.fixtures {
        let (left, engine, end, _) = try life(of: fixture)
        let flows = left.dataplane.learnedEntries(at: end).filter { $0.table == "flows" }
        let model = try factory.make("model", clock: left.dataplane.clock).dataplane
        for fresh in [model, engine.dataplane] {
          #expect(fresh.restore(flows) == flows.count, "\(fixture.name)")
          #expect(fresh.learnedEntries(at: end) == flows, "\(fixture.name) on \(fresh.name)")
          // They are there once only.
          #expect(fresh.restore(flows) == 0)
          let parts = (0..<7).flatMap { fresh.learnedEntries(at: end, part: $0, of: 7) }
          #expect(parts.sorted() == flows)
        }
        count += flows.count
      }
      #expect(count > 1_000)
    }

    /// A connection goes on where its flow was put.
    @Test(arguments: ["model", "dpdk"]) func connectionGoesOn(_ name: String) throws {
      let run = try #require(Self.fixtures.first { $0.name == "curl-keepalive" }).run()
      let pair = try factory.makePair("model", "dpdk")
      let other =
        name == "dpdk" ? pair.right : try factory.make("model", clock: pair.left.dataplane.clock)
      try other.setIntent(run.state.intent)
      var moved = 0
      _ = try run.run([pair.left]) { (frame, _) throws(ReplayError) in
        var (one, two) = (frame.bytes, frame.bytes)
        let expected = pair.left.dataplane.process(&one, port: frame.port, at: frame.time)
        if frame.number == 8 {
          let endpoints = (try? pair.left.dataplane.entries(of: "endpoints")) ?? []
          let flows = K8sDP.keptFlows(
            pair.left.dataplane.learnedEntries(at: frame.time), endpoints: endpoints)
          moved = other.dataplane.restore(flows)
        } else if frame.number > 8 {
          let verdict = other.dataplane.process(&two, port: frame.port, at: frame.time)
          #expect(verdict == expected && one == two, "frame \(frame.number)")
        }
        return true
      }
      #expect(moved >= 2)
    }

    @Test func entriesThatAreNoneAreRefused() throws {
      let pair = try factory.makePair("model", "dpdk")
      let good = LearnedEntry(
        table: "flows", key: [1, 2, 3, 4, 6, 5], action: "flow_hit", arguments: [1, 2, 3, 6, 1],
        timer: 5, expiry: 1 << 50)
      for dataplane in [pair.left.dataplane, pair.right.dataplane] {
        for change: (inout LearnedEntry) -> Void in [
          { $0.table = "nowhere" }, { $0.key = [1] }, { $0.action = "flow_hits" },
          { $0.arguments = [] }, { $0.timer = 8 },
        ] {
          var bad = good
          change(&bad)
          #expect(dataplane.restore([bad]) == 0, "\(dataplane.name): \(bad)")
        }
        #expect(dataplane.restore([good]) == 1)
      }
    }

    /// Half a flow is no flow, nor is one whose endpoint is another now.
    @Test func onlyWholeFlowsAreKept() throws {
      let fixture = try #require(Self.fixtures.first { $0.name == "curl-service" })
      let (left, _, end, _) = try life(of: fixture)
      let flows = left.dataplane.learnedEntries(at: end)
      var endpoints = try left.dataplane.entries(of: "endpoints")
      let kept = K8sDP.keptFlows(flows, endpoints: endpoints)
      #expect(kept.count >= 2 && Set(kept).isSubset(of: flows))
      for gone in kept where kept.count == 2 {
        #expect(K8sDP.keptFlows(kept.filter { $0 != gone }, endpoints: endpoints).isEmpty)
      }
      for i in endpoints.indices { endpoints[i].arguments[1] ^= 1 }
      #expect(K8sDP.keptFlows(flows, endpoints: endpoints).isEmpty)
      #expect(K8sDP.keptFlows(flows, endpoints: []).isEmpty)
    }
  }
#endif
