#if DPDK
  import Core
  import Replay
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    @Suite struct Tables {
      private func code(_ plane: SWXDataplane, _ updates: Update...) -> DataplaneError.Code? {
        do throws(DataplaneError) {
          try plane.apply(updates)
          return nil
        } catch { return error.code }
      }

      @Test func refusesNonsense() throws {
        let plane = try makeDataplane(TestSpecs.router)
        let good = route(1, port: 2)
        #expect(code(plane, .insert(good)) == nil)
        #expect(code(plane, .insert(good)) == .alreadyExists)
        #expect(code(plane, .modify(route(2, port: 2))) == .notFound)
        #expect(code(plane, .delete(table: "routes", key: [2])) == .notFound)
        #expect(code(plane, .insert(route(3, port: 64))) == .outOfRange)
        #expect(code(plane, .insert(route(3, port: 1 << 32))) == .outOfRange)
        #expect(code(plane, .insert(route(3, port: 2, mac: 1 << 48))) == .outOfRange)
        var bad = good
        bad.key = [1 << 32]
        #expect(code(plane, .insert(bad)) == .outOfRange)
        bad.key = [1, 2]
        #expect(code(plane, .insert(bad)) == .invalidArgument)
        bad = good
        bad.action = "nothing"
        #expect(code(plane, .modify(bad)) == .invalidArgument)
        bad = good
        bad.arguments = []
        #expect(code(plane, .modify(bad)) == .invalidArgument)
        bad = good
        bad.table = "nothing"
        #expect(code(plane, .insert(bad)) == .notFound)
        #expect(code(plane, .setGroup(selector: "x", group: 0, members: [])) == .notFound)
        #expect(try plane.entries(of: "routes") == [good])
        #expect(plane.engineEntry(table: "routes", key: [1]) == good)
      }

      @Test func batchesAreWholeOrNothing() throws {
        let plane = try makeDataplane(TestSpecs.router)
        try plane.apply([.insert(route(1, port: 1)), .insert(route(2, port: 2))])
        let before = try plane.entries(of: "routes")
        #expect(
          code(
            plane, .modify(route(1, port: 9)), .delete(table: "routes", key: [2]),
            .insert(route(3, port: 3)), .insert(route(3, port: 4))) == .alreadyExists)
        #expect(try plane.entries(of: "routes") == before)
        for entry in before {
          #expect(plane.engineEntry(table: "routes", key: entry.key) == entry)
        }
        #expect(plane.engineEntry(table: "routes", key: [3]) == nil)
        #expect(
          code(
            plane, .delete(table: "routes", key: [2]), .insert(route(2, port: 7)),
            .modify(route(1, port: 8))) == nil)
        #expect(try plane.entries(of: "routes") == [route(1, port: 8), route(2, port: 7)])
        #expect(plane.engineEntry(table: "routes", key: [2]) == route(2, port: 7))
      }

      @Test func capacity() throws {
        let plane = try makeDataplane(TestSpecs.router) { $0.sizes = ["routes": 16] }
        try plane.apply((0..<16).map { .insert(route($0 * 0x0101_0101, port: 1)) })
        #expect(code(plane, .insert(route(99, port: 1))) == .resourceExhausted)
        #expect(
          code(plane, .delete(table: "routes", key: [0]), .insert(route(99, port: 3))) == nil)
        #expect(plane.engineEntry(table: "routes", key: [99]) == route(99, port: 3))
        #expect(throws: DataplaneError.self) {
          try makeDataplane(TestSpecs.router) { $0.sizes = ["nothing": 16] }
        }
      }

      /// Deletes leave holes in the engine's buckets: whatever it has no room
      /// for must leave both sides as they were.
      @Test(arguments: [5, 16, 64, 500])
      func engineAndShadowStayInStep(size: Int) throws {
        let plane = try makeDataplane(TestSpecs.router) { $0.sizes = ["routes": size] }
        var random = SplitMix64(seed: 7)
        var keys: Set<UInt32> = []
        for round in 0..<2000 {
          var updates: [Update] = []
          for _ in 0..<Int.random(in: 1...6, using: &random) {
            let key = UInt32.random(in: 0..<UInt32(size * 3), using: &random) << 12
            let entry = route(key, port: UInt64(round % 64))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: updates.append(.insert(entry))
            case 1: updates.append(.modify(entry))
            default: updates.append(.delete(table: "routes", key: [UInt64(key)]))
            }
            keys.insert(key)
          }
          try? plane.apply(updates)
        }
        let entries = try plane.entries(of: "routes")
        for key in keys {
          #expect(
            plane.engineEntry(table: "routes", key: [UInt64(key)])
              == entries.first { $0.key == [UInt64(key)] })
        }
      }

      /// A table of 16 has 4 buckets of 4 and 4 extensions of 4. Four entries
      /// can hold all extensions, and then a bucket takes no fifth key.
      @Test func engineOutOfRoomTakesTheBatchBack() throws {
        let plane = try makeDataplane(TestSpecs.router) { $0.sizes = ["routes": 16] }
        func keys(_ bucket: UInt32) -> [UInt32] {
          Array((1...UInt32(2000)).lazy.filter { crc32c($0) & 3 == bucket }.prefix(9))
        }
        for bucket in UInt32(0)...1 {
          let all = keys(bucket)
          try plane.apply(all.map { .insert(route($0, port: 1)) })
          try plane.apply((0..<7).map { .delete(table: "routes", key: [UInt64(all[$0])]) })
        }
        let other = keys(3)
        try plane.apply([.insert(route(other[0], port: 2)), .insert(route(other[1], port: 2))])
        let before = try plane.entries(of: "routes")
        var batch: [Update] = [
          .modify(route(other[0], port: 9)), .delete(table: "routes", key: [UInt64(other[1])]),
          .insert(route(other[2], port: 3)), .modify(route(other[2], port: 4)),
        ]
        batch += keys(2).prefix(5).map { .insert(route($0, port: 5)) }
        batch.append(.delete(table: "routes", key: [UInt64(other[0])]))
        do throws(DataplaneError) {
          try plane.apply(batch)
          Issue.record("the engine took it")
        } catch {
          #expect(error.code == .resourceExhausted)
          #expect(error.message.contains("engine"))
        }
        #expect(try plane.entries(of: "routes") == before)
        for key in (0..<4).flatMap(keys) {
          #expect(
            plane.engineEntry(table: "routes", key: [UInt64(key)])
              == before.first { $0.key == [UInt64(key)] })
        }
      }

      /// The engine's hash of a 4-byte key in network order.
      private func crc32c(_ key: UInt32) -> UInt32 {
        var crc: UInt32 = 0
        for shift: UInt32 in [24, 16, 8, 0] {
          crc ^= key >> shift & 0xFF
          for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        return crc
      }

      @Test func portsInTheSpecAreChecked() throws {
        for (old, new) in [
          ("mov m.out_port 0x1", "mov m.out_port 0x40"), ("tx m.out_port", "tx 64"),
          (
            "default_action NoAction args none const",
            "default_action route args port 0x40 mac 0x0 const"
          ),
        ] {
          #expect(throws: DataplaneError.self) {
            try makeDataplane(TestSpecs.router.replacing(old, with: new))
          }
        }
      }

      /// Ports that only the engine sees, from a header: the guard must hold.
      @Test func computedPorts() throws {
        let text = TestSpecs.router.replacing(
          "OUT : emit h.ethernet", with: "mov m.out_port h.ipv4.src\n  OUT : emit h.ethernet"
        )
        .replacing("DROP : drop", with: "DROP : drop\n")
        .replacing("jmp OUT\n", with: "mov m.out_port h.ipv4.src\n  jmp OUT\n")
        let plane = try makeDataplane(text)
        for (port, verdict) in [
          (0, Verdict.forward(0)), (63, .forward(63)), (64, .drop(.badPort)),
          (319, .drop(.badPort)), (320, .drop(.badPort)), (UInt32.max, .drop(.badPort)),
        ] {
          var frame = TestSpecs.frame(src: port)
          #expect(plane.process(&frame, port: 0, at: .zero) == verdict)
        }
      }

      @Test func refusesWhatItCannotRun() throws {
        for (old, new) in [
          ("jmp DROP", "jmp START"), ("jmp DROP", "recirculate\n  jmp DROP"),
          ("jmp DROP", "mirror m.in_port m.in_port\n  jmp DROP"),
        ] {
          let text = TestSpecs.router.replacing(old, with: new)
            .replacing("extract h.ethernet\n", with: "START : extract h.ethernet\n")
          #expect(throws: DataplaneError.self) { try makeDataplane(text) }
        }
      }

      @Test func programmingIsFast() throws {
        let plane = try makeDataplane(TestSpecs.router) { $0.sizes = ["routes": 131_072] }
        let updates = (0..<100_000).map { Update.insert(route(UInt32($0), port: 1)) }
        let clock = ContinuousClock()
        let time = try clock.measure { try plane.apply(updates) }
        print("100,000 inserts: \(time)")
        #expect(try plane.entries(of: "routes").count == 100_000)
      }
    }
  }
#endif
