#if DPDK
  import Core
  import Replay
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    /// The model against the engine on random lives of flows. A failure names
    /// seed and frame; the same seed fails at the same frame again.
    @Suite struct Differential {
      /// What is stale in the engine must not matter: seeds take turns.
      private static let staleBytes: [UInt8?] = [0, 0xA5, nil]

      @Test func livesOfFlows() throws {
        var seen = Counters()
        for seed in UInt64(1)...10 {
          do { seen.add(try live(seed)) } catch { Issue.record(error) }
        }
        checkCoverage(seen)
      }

      private func live(_ seed: UInt64) throws -> Counters {
        let twins = try Twins(
          "seed \(seed)", buckets: seed % 2 == 0 ? (flows: 8, fragments: 1) : (64, 4),
          staleByte: Self.staleBytes[Int(seed % 3)])
        var random = SplitMix64(seed: seed)
        var node = RandomNode(using: &random)
        var traffic = RandomTraffic(seed: seed &* 1000)
        #expect(try twins.set(node.intent))
        var time = Timestamp.zero
        for i in 0..<3000 {
          if i % 60 == 59 {
            let before = node
            node.step(using: &random)
            if try !twins.set(node.intent) { node = before }
          }
          if i % 500 == 499 {
            let timer = K8sDP.Timer.allCases.randomElement(using: &random) ?? .tcpReset
            try twins.setTimer(timer, seconds: UInt32.random(in: 1...200, using: &random))
            try twins.compareTables()
          }
          // Even seeds crowd the tables, odd ones let more expire.
          time.nanoseconds += pause(using: &random) / (seed % 2 == 0 ? 20 : 1)
          if Int.random(in: 0..<100, using: &random) == 0 {
            time = step(after: time, of: twins.engine.clock)
          }
          let (verdict, bytes) = try twins.process(traffic.next(), at: time)
          traffic.saw(verdict, bytes)
          if i % 50 == 49 { try twins.compareState(at: time) }
        }
        try twins.compareTables()
        return twins.engine.counters()
      }

      /// From nanoseconds to beyond every timer.
      private func pause(using random: inout SplitMix64) -> UInt64 {
        let second: UInt64 = 1_000_000_000
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<1: return UInt64.random(in: 40_000...50_000, using: &random) * second
        case 1..<5: return UInt64.random(in: 60 * second...200 * second, using: &random)
        case 5..<20: return UInt64.random(in: 2 * second...40 * second, using: &random)
        case 20..<100: return UInt64.random(in: 0...2 * second, using: &random)
        case 100..<300: return 0
        default: return UInt64.random(in: 0...1_000_000, using: &random)
        }
      }

      /// The next time whose cycle count is a multiple of 2³²: then an entry can be
      /// neither alive nor free. Not every multiple is a whole nanosecond.
      private func step(after time: Timestamp, of clock: EngineClock) -> Timestamp {
        let first = (clock.cycles(at: time) >> 32) + 1
        for step in first..<(first + 8) {
          let cycles = (step << 32) - EngineClock.origin
          let (high, low) = cycles.multipliedFullWidth(by: 1_000_000_000)
          let nanoseconds = clock.hertz.dividingFullWidth((high, low)).quotient
          for candidate in [nanoseconds, nanoseconds + 1] {
            let time = Timestamp(nanoseconds: candidate)
            if clock.cycles(at: time) == step << 32 { return time }
          }
        }
        return time
      }

      /// Sequences that miss half of the pipeline would prove nothing.
      private func checkCoverage(_ seen: Counters) {
        for name in ["flows", "fragments"] {
          let learner = seen.learners[name] ?? .init()
          #expect(learner.hit > 100 && learner.learned > 100, "\(name)")
          #expect(learner.learnFailed > 10, "no bucket of \(name) was ever full")
        }
        for reason in DropReason.allCases
        where ![.oversized, .badPort, .pipeline, .badOffload, .noPipeline].contains(reason) {
          #expect(seen.dropped[reason, default: 0] > 10, "\(reason.name) hardly happened")
        }
        for (name, table) in seen.tables {
          #expect(table.hit > 100 && table.miss > 10, "\(name)")
        }
        for action in ["endpoint_hop", "endpoint_drain", "endpoint_host"] {
          #expect(seen.tables["endpoints"]?.actions[action, default: 0] ?? 0 > 10, "\(action)")
        }
      }

      /// Short frames of random bytes with plausible headers here and there.
      @Test(arguments: UInt64(1)...2)
      func garbage(seed: UInt64) throws {
        let twins = try Twins("garbage \(seed)", staleByte: seed == 1 ? 0 : 0xA5)
        var random = SplitMix64(seed: seed)
        #expect(try twins.set(RandomNode(using: &random).intent))
        for i in 0..<2000 {
          let length = Int.random(in: 0...120, using: &random)
          var frame = TestSpecs.frame(
            src: 0x0AF4_0000 + UInt32.random(in: 0...9, using: &random),
            dst: (Bool.random(using: &random) ? 0x0AF4_0000 : 0x0A60_0000)
              + UInt32.random(in: 0...9, using: &random),
            ttl: UInt8(i % 3), length: length)
          frame = Array(frame.prefix(length))
          for _ in 0..<Int.random(in: 0...3, using: &random) where !frame.isEmpty {
            frame[Int.random(in: 0..<frame.count, using: &random)] = UInt8.random(
              in: 0...255, using: &random)
          }
          let time = Timestamp(nanoseconds: UInt64(i) * 1_000_000)
          _ = try twins.process(frame, at: time)
          if i % 50 == 49 { try twins.compareState(at: time) }
        }
      }

      /// Both refuse the same updates for the same reason, and keep nothing of them.
      @Test func badUpdates() throws {
        let twins = try Twins("bad updates")
        var random = SplitMix64(seed: 5)
        let node = RandomNode(using: &random)
        #expect(try twins.set(node.intent))
        let hop = K8sDP.Hop(egress: 3, dstMAC: .zero, srcMAC: .zero)
        let good = Update.insert(K8sDP.route(IPv4Address(1), hop))
        let noPort = K8sDP.Hop(egress: 1024, dstMAC: .zero, srcMAC: .zero)
        let bad: [Update] = [
          good,
          .insert(K8sDP.route(IPv4Address(2), noPort)),
          .insert(K8sDP.arpTarget(IPv4Address(2), egress: .max)),
          .insert(K8sDP.endpoint(999, address: IPv4Address(2), port: 1, .hop(noPort))),
          .insert(K8sDP.endpoint(999, address: IPv4Address(2), port: 1, .drain(noPort))),
          .modify(K8sDP.route(IPv4Address(2), hop)),
          .delete(table: "routes", key: [2]),
          .delete(table: "routes", key: [1, 2]),
          .delete(table: "flows", key: [1]),
          .insert(TableEntry(table: "routes", key: [1 << 32], action: "route_vip")),
          .insert(TableEntry(table: "routes", key: [2], action: "route_vip", arguments: [1])),
          .insert(TableEntry(table: "nothing", key: [2], action: "route_vip")),
          .setGroup(selector: "slots", group: 1, members: []),
        ]
        for update in bad { try twins.apply([good, update]) }
        try twins.compareTables()
        #expect(try twins.model.entries(of: "routes").allSatisfy { $0.key != [1] })
      }

      /// The compiler leaves `@defaultonly` out of the spec for all but learners: the
      /// engine would take entries that P4Info refuses.
      @Test(arguments: [
        TableEntry(table: "routes", key: [2], action: "route_host"),
        TableEntry(table: "arp_targets", key: [2], action: "arp_host"),
        TableEntry(table: "services", key: [2, 2, 6], action: "NoAction"),
        TableEntry(table: "slots", key: [2, 2], action: "NoAction"),
        TableEntry(table: "endpoints", key: [2], action: "endpoint_gone"),
      ])
      func defaultOnlyActions(entry: TableEntry) throws {
        let twins = try Twins("default only")
        try twins.apply([.insert(entry)])
        #expect(try twins.engine.entries(of: entry.table).isEmpty)
      }

      /// Up to the longest frame and beyond.
      @Test(arguments: [1514, 9014, 65_535, 65_536, 65_549, 65_553, 65_554, 70_000])
      func longFrames(length: Int) throws {
        let twins = try Twins("\(length) bytes")
        var random = SplitMix64(seed: 6)
        #expect(try twins.set(RandomNode(using: &random).intent))
        var ip = PacketBuilder.IPv4(from: RandomNode.address(2), to: RandomNode.address(3))
        ip.totalLength = UInt16(min(length - 14, 65_535))
        let ether = PacketBuilder(from: MACAddress(2), to: MACAddress(4))
        let payload = [UInt8](repeating: 7, count: length - 34)
        let (verdict, _) = try twins.process(
          ether.ipv4(ip, transport: 132, payload: payload), at: .zero)
        let fits = length <= FrameBatch.longestFrame
        #expect(verdict == (fits ? .forward(3) : .drop(.oversized)))
        try twins.compareState(at: .zero)
      }
    }
  }
#endif
