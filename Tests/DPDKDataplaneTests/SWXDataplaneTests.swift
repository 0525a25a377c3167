#if DPDK
  import Core
  import Replay
  import Testing

  @testable import DPDKDataplane

  /// Everything that runs the engine: one thread at a time.
  @Suite(.serialized) struct Engine {}

  func makeDataplane(
    _ text: String, _ configure: (inout SWXOptions) -> Void = { _ in }
  ) throws -> SWXDataplane {
    var options = SWXOptions()
    options.ports = 64
    configure(&options)
    return try SWXDataplane(spec: PipelineSpec(parsing: text, file: "test.spec"), options: options)
  }

  func route(_ dst: UInt32, port: UInt64, mac: UInt64 = 0x0200_0000_00AA) -> TableEntry {
    TableEntry(table: "routes", key: [UInt64(dst)], action: "route", arguments: [port, mac])
  }

  extension Engine {
    @Suite struct Forwarding {
      @Test func routesAndRewrites() throws {
        let plane = try makeDataplane(TestSpecs.router)
        try plane.apply([.insert(route(0x0A00_0002, port: 5))])
        var frame = TestSpecs.frame()
        #expect(plane.process(&frame, port: 2, at: .zero) == .forward(5))
        #expect(Array(frame[0..<6]) == [2, 0, 0, 0, 0, 0xAA])
        #expect(Array(frame[6..<12]) == [2, 0, 0, 0, 0, 1])
        #expect(Array(frame[12...]) == Array(TestSpecs.frame()[12...]))
        var other = TestSpecs.frame(dst: 0x0A00_0003)
        #expect(plane.process(&other, port: 2, at: .zero) == .forward(1))
        #expect(other == TestSpecs.frame(dst: 0x0A00_0003))
        let counters = plane.counters()
        #expect(counters.tables["routes"]?.hit == 1)
        #expect(counters.tables["routes"]?.miss == 1)
        #expect(counters.tables["routes"]?.actions == ["route": 1, "NoAction": 1])
        #expect(counters.forwarded == [5: 1, 1: 1])
      }

      @Test func dropsWithReasons() throws {
        let plane = try makeDataplane(TestSpecs.router)
        try plane.apply([
          .insert(TableEntry(table: "routes", key: [0x0A00_0002], action: "refuse"))
        ])
        var expired = TestSpecs.frame(ttl: 1)
        #expect(plane.process(&expired, port: 0, at: .zero) == .drop(.ttlExpired))
        var refused = TestSpecs.frame()
        #expect(plane.process(&refused, port: 0, at: .zero) == .drop(.noEndpoint))
        var spared = TestSpecs.frame(tos: 1)
        #expect(plane.process(&spared, port: 0, at: .zero) == .forward(1))
        #expect(plane.counters().dropped == [.ttlExpired: 1, .noEndpoint: 1])
        #expect(try plane.register("drops_0", 1) == 1)
        #expect(throws: DataplaneError.self) { try plane.register("nothing", 0) }
      }

      @Test func dropsWithoutReasons() throws {
        let text = TestSpecs.router.replacing("local_metadata_reason", with: "why")
        let plane = try makeDataplane(text)
        var expired = TestSpecs.frame(ttl: 1)
        #expect(plane.process(&expired, port: 0, at: .zero) == .drop(.pipeline))
        let named = try makeDataplane(text) { $0.dropReasonField = "why" }
        #expect(named.process(&expired, port: 0, at: .zero) == .drop(.ttlExpired))
        #expect(throws: DataplaneError.self) {
          try makeDataplane(text) { $0.dropReasonField = "nothing" }
        }
      }

      @Test func survivesGarbage() throws {
        let plane = try makeDataplane(TestSpecs.router)
        try plane.apply([.insert(route(0, port: 7))])
        var generator = SplitMix64(seed: 1)
        for length in 0...2000 {
          var frame = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
          if length > 14, length.isMultiple(of: 2) { frame.replaceSubrange(12..<14, with: [8, 0]) }
          let before = frame.count
          _ = plane.process(&frame, port: PortID(length % 64), at: .zero)
          #expect(frame.count == before)
        }
        var oversized = [UInt8](repeating: 0, count: 70_000)
        #expect(plane.process(&oversized, port: 0, at: .zero) == .drop(.oversized))
        let counters = plane.counters()
        let total = counters.forwarded.values.reduce(0, +) + counters.dropped.values.reduce(0, +)
        #expect(total == 2002)
      }

      @Test func missingBytesAreZero() throws {
        let plane = try makeDataplane(TestSpecs.router)
        try plane.apply([.insert(route(0x0A00_0000, port: 7))])
        // All but the last three bytes of the address: they read as zero.
        var short = Array(TestSpecs.frame()[..<31])
        let before = short
        #expect(plane.process(&short, port: 0, at: .zero) == .forward(7))
        #expect(short.count == 31 && Array(short[12...]) == Array(before[12...]))
      }

      @Test func batchEqualsSingle() throws {
        for virtual in [true, false] {
          let single = try makeDataplane(TestSpecs.router) { $0.virtualTime = virtual }
          let batched = try makeDataplane(TestSpecs.router) { $0.virtualTime = virtual }
          var batch = FrameBatch(capacity: 256)
          var frames: [[UInt8]] = []
          for plane in [single, batched] {
            try plane.apply((0..<8).map { .insert(route(UInt32($0), port: UInt64($0))) })
          }
          for i in 0..<256 {
            let frame = TestSpecs.frame(
              dst: UInt32(i % 11), ttl: UInt8(i % 5), length: 34 + i)
            frames.append(frame)
            let fits = frame.withUnsafeBytes { batch.append($0, port: 3) }
            #expect(fits)
          }
          batched.process(batch, at: .zero)
          for i in 0..<256 {
            var frame = frames[i]
            let verdict = single.process(&frame, port: 3, at: .zero)
            #expect(batch.verdict(i) == verdict)
            if case .forward = verdict { #expect(Array(batch.bytes(i)) == frame) }
          }
          #expect(batched.counters() == single.counters())
        }
      }

      @Test func gateDropsBeforeTheEngine() throws {
        let plane = try makeDataplane(TestSpecs.router) {
          $0.gate = { $0.count < 34 ? .truncated : nil }
        }
        var short = Array(TestSpecs.frame()[..<20])
        #expect(plane.process(&short, port: 0, at: .zero) == .drop(.truncated))
        var batch = FrameBatch(capacity: 3)
        for frame in [TestSpecs.frame(), short, TestSpecs.frame()] {
          _ = frame.withUnsafeBytes { batch.append($0, port: 0) }
        }
        plane.process(batch, at: .zero)
        #expect((0..<3).map { batch.verdict($0) } == [.forward(1), .drop(.truncated), .forward(1)])
        #expect(plane.counters().dropped == [.truncated: 2])
        #expect(plane.counters().tables["routes"]?.miss == 2)
      }
    }
  }
#endif
