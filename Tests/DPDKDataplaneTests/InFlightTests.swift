#if DPDK
  import Core
  import K8sDPArtefacts
  import SimDataplane
  import Testing

  @testable import DPDKDataplane
  @testable import Replay

  /// Many frames in flight in the engine: what comes out of a batch is what comes out
  /// of the same frames one by one.
  struct InFlightTests {
    private static let sizes = [
      "services": 64, "slots": 32_768, "endpoints": 256, "routes": 256, "arp_targets": 256,
      // Which of two new flows gets the last place of a bucket is the one thing that
      // batches may change.
      "flows": 1 << 16, "fragments": 1 << 14,
    ]

    private static func engine() throws -> SWXDataplane {
      var options = SWXOptions.k8sDP
      options.sizes = sizes
      options.staleByte = nil
      return try SWXDataplane(
        spec: try PipelineSpec(parsing: K8sDPArtefacts.spec), options: options)
    }

    @Test(arguments: UInt64(1)...20) func batchesAreOneByOne(_ seed: UInt64) throws {
      let engine = try Self.engine()
      var modelOptions = SimDataplane.Options()
      modelOptions.clock = engine.clock
      modelOptions.sizes = Self.sizes
      let model = SimDataplane(options: modelOptions)
      var compiler = IntentCompiler()
      // The traffic answers to what became of it, frame by frame; the engine gets it later.
      var generator = FuzzGenerator(seed: seed)
      var random = SplitMix64(seed: seed)
      func set(_ intent: Intent) throws {
        let updates = try compiler.updates(for: intent)
        try engine.apply(updates)
        try model.apply(updates)
      }
      try set(generator.episode.intent)
      var batch = FrameBatch(capacity: 64)
      var expected: [(verdict: Verdict, bytes: [UInt8])] = []
      var now = Timestamp.zero
      var overlapped = 0

      func flush() throws {
        engine.process(batch, at: now)
        for i in 0..<batch.count {
          try #require(batch.verdict(i) == expected[i].verdict, "frame \(i) of \(batch.count)")
          if case .forward = expected[i].verdict {
            try #require([UInt8](batch.bytes(i)) == expected[i].bytes, "frame \(i)")
          }
        }
        overlapped += max(0, batch.count - 1)
        batch.removeAll()
        expected = []
      }
      var wanted = 1
      for _ in 0..<4000 {
        let step = generator.next(clock: engine.clock)
        switch step.event {
        case .intent(let intent):
          try flush()
          try set(intent)
        case .row(let entry):
          try flush()
          // A row that is not there is refused by both.
          let isTaken = (try? model.apply([.modify(entry)])) != nil
          #expect(((try? engine.apply([.modify(entry)])) != nil) == isTaken)
        case .frame(var frame):
          if batch.count == wanted {
            try flush()
            wanted = Int.random(in: 1...64, using: &random)
          }
          // All frames of a batch are at its time.
          if batch.count == 0 { now = max(now, step.time) }
          let fits = frame.withUnsafeBytes { batch.append($0, port: 2) }
          guard fits else { continue }
          let verdict = model.process(&frame, port: 2, at: now)
          generator.saw(verdict, frame)
          expected.append((verdict, frame))
        }
      }
      try flush()
      #expect(overlapped > 2000)
      let (left, right) = (engine.counters(), model.counters())
      // Look-ups are not compared: two segments in flight may both find their connection
      // in its handshake, and both look further.
      for (name, learner) in right.learners {
        #expect(left.learners[name]?.learned == learner.learned, "\(name)")
        #expect(left.learners[name]?.learnFailed == learner.learnFailed, "\(name)")
      }
      #expect(left.dropped == right.dropped)
      #expect(left.forwarded == right.forwarded)
      #expect(engine.learnedEntries(at: now) == model.learnedEntries(at: now))
    }

    /// That the order matters: without a word on what belongs together, a fragment
    /// overtakes the one that tells where it goes.
    @Test func fragmentsFollowTheFirst() throws {
      let engine = try Self.engine()
      var compiler = IntentCompiler()
      var random = SplitMix64(seed: 6)
      var intent = RandomNode(using: &random).intent
      let vip = IPv4Address(0x0A60_0A0A)
      let pod = try #require(intent.pods.first)
      intent.services = [
        Intent.Service(
          name: "udp", clusterIP: vip,
          ports: [
            Intent.ServicePort(
              transport: .udp, port: 53,
              endpoints: [Intent.Endpoint(address: pod.ip, port: 5353)])
          ])
      ]
      try engine.apply(try compiler.updates(for: intent))
      let ether = PacketBuilder(from: MACAddress(2), to: MACAddress(4))
      var ip = PacketBuilder.IPv4(from: IPv4Address(0x0AF4_0909), to: vip)
      ip.identification = 9
      ip.moreFragments = true
      var batch = FrameBatch(capacity: 16)
      let first = ether.udp(
        ip, PacketBuilder.UDP(from: 4000, to: 53), payload: [UInt8](repeating: 1, count: 1472))
      #expect(first.withUnsafeBytes { batch.append($0, port: 2) })
      for n in 1..<16 {
        ip.fragmentOffset = UInt16(n * 185)
        let later = ether.ipv4(ip, transport: 17, payload: [UInt8](repeating: 2, count: 1480))
        #expect(later.withUnsafeBytes { batch.append($0, port: 2) })
      }
      engine.process(batch, at: .zero)
      for i in 0..<16 { #expect(batch.verdict(i) == .forward(pod.port), "fragment \(i)") }
    }
  }
#endif
