#if DPDK
  import Core
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    /// What the pipeline keeps of each entry: direct counters, and the times of hits.
    @Suite struct EntryArrays {
      /// The router that counts frames of its entries, and in the entry's own action those
      /// that it ends.
      private static func counting(_ match: String = "exact") -> String {
        replacing(
          TestSpecs.router,
          [
            ("bit<32> out_port", "bit<32> out_port\n  bit<32> table_entry_index"),
            ("regarray drops_0", "regarray dc_0 size 0x11 initval 0x0\nregarray drops_0"),
            (
              "mov h.ethernet.src h.ethernet.dst",
              "entryid m.table_entry_index\n regadd dc_0 m.table_entry_index 0x1\n"
                + "mov h.ethernet.src h.ethernet.dst"
            ),
            ("size 0x400", "size 0x10"), ("h.ipv4.dst exact", "h.ipv4.dst \(match)"),
          ])
      }

      private static func replacing(_ text: String, _ pairs: [(String, String)]) -> String {
        pairs.reduce(text) { text, pair in
          text.split(separator: pair.0, omittingEmptySubsequences: false).joined(separator: pair.1)
        }
      }

      private func make(
        _ text: String, tracked: Bool = false, _ configure: (inout SWXOptions) -> Void = { _ in }
      ) throws -> SWXDataplane {
        var spec = try PipelineSpec(parsing: text, file: "test.spec")
        spec.tables[0].tracksHits = tracked
        var options = SWXOptions()
        options.ports = 64
        configure(&options)
        return try SWXDataplane(spec: spec, options: options)
      }

      private func send(
        _ plane: SWXDataplane, to dst: UInt32, tos: UInt8 = 0, at time: Timestamp = .zero
      ) -> Verdict {
        var frame = TestSpecs.frame(dst: dst, tos: tos)
        return plane.process(&frame, port: 0, at: time)
      }

      private func count(_ plane: SWXDataplane, _ dst: UInt32) throws -> UInt64? {
        try plane.index(of: [UInt64(dst)], in: "routes").map { try plane.register("dc_0", $0) }
      }

      @Test func entriesCount() throws {
        let plane = try make(Self.counting())
        #expect(try count(plane, 1) == nil)
        try plane.apply([.insert(route(1, port: 2)), .insert(route(2, port: 3))])
        for _ in 0..<3 { #expect(send(plane, to: 2) == .forward(3)) }
        #expect(send(plane, to: 1) == .forward(2))
        #expect(try count(plane, 1) == 1)
        #expect(try count(plane, 2) == 3)
        try plane.apply([.modify(route(2, port: 4))])
        #expect(try count(plane, 2) == 3)
        #expect(throws: DataplaneError.self) { try plane.index(of: [1], in: "nothing") }
        // Its id goes to another entry, its count does not.
        try plane.apply([.delete(table: "routes", key: [2]), .insert(route(3, port: 5))])
        #expect(try count(plane, 3) == 0)
        try plane.apply([.delete(table: "routes", key: [1])])
        try plane.apply([.insert(route(4, port: 5)), .insert(route(2, port: 5))])
        #expect(try count(plane, 4) == 0)
        #expect(try count(plane, 2) == 0)
      }

      @Test func whatIsTakenBackCounts() throws {
        let plane = try make(Self.counting()) { $0.sizes = ["routes": 2] }
        try plane.apply([.insert(route(1, port: 2)), .insert(route(2, port: 3))])
        for _ in 0..<5 { _ = send(plane, to: 2) }
        #expect(throws: DataplaneError.self) {
          try plane.apply([
            .delete(table: "routes", key: [2]), .insert(route(3, port: 2)),
            .insert(route(4, port: 2)),
          ])
        }
        #expect(try count(plane, 2) == 5)
        #expect(try count(plane, 1) == 0)
      }

      /// A host may give a table more entries than the compiler made its counter for.
      @Test func roomForEveryEntry() throws {
        let plane = try make(Self.counting()) { $0.sizes = ["routes": 1000] }
        try plane.apply((1...1000).map { .insert(route($0, port: 2)) })
        for n in UInt32(1)...1000 where n % 3 == 0 { _ = send(plane, to: n) }
        for n in UInt32(1)...1000 { #expect(try count(plane, n) == (n % 3 == 0 ? 1 : 0)) }
      }

      /// Rules have other indices with each change, and take their counts along.
      @Test func countsGoWithRules() throws {
        let plane = try make(Self.counting("lpm"), tracked: true)
        func prefix(_ value: UInt32, _ bits: UInt32) -> TableEntry {
          TableEntry(
            table: "routes", key: [UInt64(value), UInt64(UInt32.max << (32 - bits)), 0],
            action: "route", arguments: [2, 7])
        }
        let entries = [prefix(1 << 24, 8), prefix(2 << 24, 8), prefix(3 << 24, 8)]
        try plane.apply(entries.map { .insert($0) })
        for n in UInt32(1)...3 {
          for _ in 0..<n {
            _ = send(plane, to: n << 24 | 0xFFFF, at: .seconds(Double(n)))
          }
        }
        let longer = prefix(0x0100_0000, 16)
        try plane.apply([.insert(longer), .delete(table: "routes", key: entries[1].key)])
        func count(_ entry: TableEntry) throws -> UInt64? {
          try plane.index(of: entry.key, in: "routes").map { try plane.register("dc_0", $0) }
        }
        #expect(try entries.map(count) == [1, nil, 3])
        #expect(try count(longer) == 0)
        #expect(try plane.lastHit(of: entries[2].key, in: "routes") == .seconds(3))
        #expect(try plane.lastHit(of: longer.key, in: "routes") == .zero)
      }

      @Test func timesOfHits() throws {
        let plane = try make(TestSpecs.router, tracked: true)
        let refuse = TableEntry(table: "routes", key: [3], action: "refuse")
        try plane.apply([
          .insert(route(1, port: 2)), .insert(route(2, port: 3)), .insert(refuse),
        ])
        func hit(_ dst: UInt64) throws -> Timestamp {
          try plane.lastHit(of: [dst], in: "routes")
        }
        #expect(try hit(1) == .zero)
        #expect(send(plane, to: 1, at: .seconds(5)) == .forward(2))
        #expect(send(plane, to: 9, at: .seconds(6)) == .forward(1))
        #expect(try hit(1) == .seconds(5))
        #expect(try hit(2) == .zero)
        // An action that ends the frame, and the same one when it does not.
        #expect(send(plane, to: 3, at: .seconds(7)) == .drop(.noEndpoint))
        #expect(try hit(3) == .seconds(7))
        #expect(send(plane, to: 3, tos: 1, at: .seconds(8)) == .forward(1))
        #expect(try hit(3) == .seconds(8))
        try plane.setLastHit(of: [2], in: "routes", to: .seconds(9))
        #expect(try hit(2) == .seconds(9))
        // Every frame of a batch.
        var batch = FrameBatch(capacity: 8, maximumLength: 200)
        for dst in UInt32(1)...2 {
          #expect(TestSpecs.frame(dst: dst).withUnsafeBytes { batch.append($0, port: 0) })
        }
        plane.process(batch, at: .seconds(10))
        #expect(try [hit(1), hit(2)] == [.seconds(10), .seconds(10)])
        try plane.apply([.delete(table: "routes", key: [1]), .insert(route(4, port: 2))])
        #expect(try hit(4) == .zero)
        #expect(throws: DataplaneError.self) { try hit(1) }
        #expect(throws: DataplaneError.self) {
          try make(TestSpecs.router).lastHit(of: [1], in: "routes")
        }
      }

      /// Nothing is added to a pipeline that needs none of it.
      @Test func noCostElsewhere() throws {
        let spec = try PipelineSpec(parsing: TestSpecs.router, file: "test.spec")
        let plain = try SpecAdapter(spec, ports: 64, reason: nil, checksAllPorts: false)
        #expect(plain.hits.isEmpty)
        #expect(!plain.spec.registers.contains { $0.name.hasPrefix("k8sdp") })
        #expect(!plain.spec.apply.contains { $0.operation == "entryid" })
        #expect(plain.spec.metadataBytes == spec.metadataBytes + 12)
      }

      /// The engine's operands name 256 bytes of metadata.
      @Test func metadataThatIsFull() throws {
        let filler = "\n" + (0..<30).map { "  bit<64> filler\($0)" }.joined(separator: "\n")
        let text = Self.replacing(
          TestSpecs.router, [("bit<32> out_port", "bit<32> out_port\(filler)")])
        _ = try make(text)
        #expect(throws: DataplaneError.self) { try make(text, tracked: true) }
      }

      /// An action that several tables have and that ends frames could not say which.
      @Test func sharedActionsThatEndFrames() throws {
        let second = """
          table others {
            key {
              h.ipv4.src exact
            }
            actions {
              refuse
              NoAction
            }
            default_action NoAction args none const
            size 0x10
          }
          apply {
          """
        let text = Self.replacing(
          TestSpecs.router,
          [("apply {", second), ("ROUTE : table routes", "ROUTE : table others\n table routes")])
        _ = try make(text)
        do throws(DataplaneError) {
          var spec = try PipelineSpec(parsing: text, file: "test.spec")
          spec.tables[0].tracksHits = true
          try SWXDataplane.verify(spec: spec)
          Issue.record("it is taken")
        } catch {
          #expect(error.code == .unimplemented)
          #expect(error.message.contains("'refuse'"))
        }
      }
    }
  }
#endif
