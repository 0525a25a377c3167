#if DPDK
  import Core
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    @Suite struct Learners {
      private func send(
        _ plane: SWXDataplane, _ src: UInt32, port: PortID, timer: UInt8, _ seconds: Double
      ) -> Verdict {
        var frame = TestSpecs.frame(src: src, tos: timer)
        return plane.process(&frame, port: port, at: .seconds(seconds))
      }

      @Test func learnsHitsAndExpires() throws {
        let plane = try makeDataplane(TestSpecs.learner)
        #expect(send(plane, 1, port: 5, timer: 2, 0) == .forward(9))
        #expect(send(plane, 1, port: 6, timer: 2, 1) == .forward(5))
        // The engine keeps time in steps of 2³² cycles.
        let expiry =
          ((EngineClock.origin + plane.clock.cycles(seconds: 60)) >> 32) << 32
        let last = Double(expiry - EngineClock.origin) / Double(plane.clock.hertz)
        #expect(
          plane.learnedEntries(at: .seconds(1)) == [
            LearnedEntry(
              table: "known_hosts", key: [1], action: "known", arguments: [5], timer: 2,
              expiry: expiry)
          ])
        #expect(send(plane, 1, port: 6, timer: 2, last - 0.001) == .forward(5))
        #expect(plane.learnedEntries(at: .seconds(last + 0.001)).isEmpty)
        #expect(send(plane, 1, port: 6, timer: 2, last + 0.001) == .forward(9))
        let learner = try #require(plane.counters().learners["known_hosts"])
        #expect((learner.hit, learner.miss, learner.learned) == (2, 2, 2))
        #expect((learner.learnFailed, learner.rearmed) == (0, 0))
        #expect(learner.actions == ["known": 2, "unknown": 2])
      }

      @Test func rearms() throws {
        let plane = try makeDataplane(TestSpecs.learner)
        try plane.setTimer(7, seconds: 30)
        for second in stride(from: 0.0, through: 200, by: 20) {
          let expected: Verdict = second == 0 ? .forward(9) : .forward(5)
          #expect(send(plane, 1, port: 5, timer: 7, second) == expected)
        }
        #expect(plane.counters().learners["known_hosts"]?.rearmed == 10)
        #expect(send(plane, 1, port: 5, timer: 7, 240) == .forward(9))
      }

      @Test func bucketFull() throws {
        let plane = try makeDataplane(TestSpecs.learner) { $0.sizes = ["known_hosts": 1] }
        for host in UInt32(1)...6 {
          #expect(send(plane, host, port: 3, timer: 2, 0) == .forward(9))
        }
        let learner = try #require(plane.counters().learners["known_hosts"])
        #expect((learner.learned, learner.learnFailed) == (4, 2))
        #expect(plane.learnedEntries(at: .zero).map { $0.key[0] } == [1, 2, 3, 4])
        #expect(send(plane, 5, port: 3, timer: 2, 1) == .forward(9))
        #expect(send(plane, 4, port: 3, timer: 2, 1) == .forward(3))
      }

      @Test func timersAreChecked() throws {
        let plane = try makeDataplane(TestSpecs.learner)
        #expect(throws: DataplaneError.self) { try plane.setTimer(8, seconds: 1) }
        #expect(throws: DataplaneError.self) { try plane.setTimer(-1, seconds: 1) }
        #expect(throws: DataplaneError.self) { try plane.setTimer(0, seconds: 0) }
      }

      /// What was learned becomes a port, unseen by the control plane.
      @Test func learnedPortThatDoesNotExist() throws {
        let plane = try makeDataplane(TestSpecs.learner)
        for port: PortID in [64, 320, 1 << 20, .max] {
          #expect(send(plane, port, port: port, timer: 1, 0) == .forward(9))
          #expect(send(plane, port, port: 1, timer: 1, 1) == .drop(.badPort))
        }
        #expect(plane.counters().dropped == [.badPort: 4])
      }

      @Test func twoPipelinesShareNothing() throws {
        let a = try makeDataplane(TestSpecs.learner)
        let b = try makeDataplane(TestSpecs.learner)
        #expect(send(a, 1, port: 5, timer: 2, 0) == .forward(9))
        #expect(send(b, 1, port: 6, timer: 2, 0) == .forward(9))
        #expect(send(a, 1, port: 7, timer: 2, 100_000) == .forward(9))
        #expect(send(b, 1, port: 7, timer: 2, 1) == .forward(6))
      }

      @Test func realTimeLearns() throws {
        let plane = try makeDataplane(TestSpecs.learner) { $0.virtualTime = false }
        #expect(send(plane, 1, port: 5, timer: 5, 0) == .forward(9))
        #expect(send(plane, 1, port: 6, timer: 5, 0) == .forward(5))
      }
    }
  }
#endif
