#if DPDK
  import Core
  import Replay
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    /// Prefixes and masks, and exact keys with something in between: the engine's wildcard
    /// match, which is made anew with each change.
    @Suite struct Rules {
      /// The router with another key.
      private static func router(_ key: String) -> String {
        TestSpecs.router.replacingOccurrences("h.ipv4.dst exact", with: key)
          .replacingOccurrences("bit<32> out_port", with: "bit<32> out_port\n  bit<32> address")
          .replacingOccurrences("ROUTE : table", with: "ROUTE : mov m.address h.ipv4.dst\n table")
      }

      private static let prefixes = router("h.ipv4.dst lpm")
      private static let rules = router(
        "h.ipv4.tos wildcard\nh.ipv4.src wildcard\nh.ipv4.dst wildcard")
      private static let apart = router("h.ipv4.tos exact\nh.ipv4.dst exact")

      private func entry(_ key: [UInt64], port: UInt64) -> TableEntry {
        TableEntry(table: "routes", key: key, action: "route", arguments: [port, 7])
      }

      private func prefix(_ value: UInt32, _ bits: UInt32, port: UInt64) -> TableEntry {
        let mask = bits == 0 ? 0 : UInt32.max << (32 - bits)
        return entry([UInt64(value & mask), UInt64(mask), 0], port: port)
      }

      private func port(
        _ plane: SWXDataplane, src: UInt32 = 1, dst: UInt32, tos: UInt8 = 0
      ) -> Verdict {
        var frame = TestSpecs.frame(src: src, dst: dst, tos: tos)
        return plane.process(&frame, port: 0, at: .zero)
      }

      @Test(arguments: [prefixes, router("m.address lpm")])
      func longestPrefixWins(spec: String) throws {
        let plane = try makeDataplane(spec)
        #expect(port(plane, dst: 0x0A01_0203) == .forward(1))
        try plane.apply([
          .insert(prefix(0x0A00_0000, 8, port: 2)), .insert(prefix(0x0A01_0203, 32, port: 4)),
          .insert(prefix(0x0A01_0000, 16, port: 3)), .insert(prefix(0, 0, port: 5)),
        ])
        #expect(port(plane, dst: 0x0A01_0203) == .forward(4))
        #expect(port(plane, dst: 0x0A01_0204) == .forward(3))
        #expect(port(plane, dst: 0x0A02_0000) == .forward(2))
        #expect(port(plane, dst: 0x0B00_0000) == .forward(5))
        try plane.apply([
          .delete(table: "routes", key: [0x0A01_0000, 0xFFFF_0000, 0]),
          .modify(prefix(0x0A00_0000, 8, port: 6)),
        ])
        #expect(port(plane, dst: 0x0A01_0204) == .forward(6))
        #expect(try plane.entries(of: "routes").count == 3)
        try plane.apply(plane.entries(of: "routes").map { .delete(table: $0.table, key: $0.key) })
        #expect(port(plane, dst: 0x0A01_0203) == .forward(1))
      }

      @Test func refusesNonsense() throws {
        let good = prefix(0x0A00_0000, 8, port: 2)
        let plane = try makeDataplane(Self.prefixes) { $0.sizes = ["routes": 2] }
        try plane.apply([.insert(good)])
        let cases: [([UInt64], DataplaneError.Code, String)] = [
          ([1], .invalidArgument, "a value alone"),
          ([1, 0xFFFF_FFFF], .invalidArgument, "no priority"),
          ([0x0A00_0001, 0xFF00_0000, 0], .outOfRange, "bits outside of the mask"),
          ([0, 1 << 32, 0], .outOfRange, "a mask that is too wide"),
          ([0, 0x00FF_0000, 0], .invalidArgument, "a mask that is no prefix"),
          ([0, 0xFF00_0000, 1], .outOfRange, "a priority"),
          (good.key, .alreadyExists, "is there"),
        ]
        for (key, code, what) in cases {
          #expect(throws: (any Error).self, "\(what)") {
            try plane.apply([.insert(self.entry(key, port: 2))])
          }
          do throws(DataplaneError) { try plane.apply([.insert(entry(key, port: 2))]) } catch {
            #expect(error.code == code, "\(what): \(error)")
          }
        }
        // A batch of which one does not fit leaves no trace.
        do throws(DataplaneError) {
          try plane.apply([
            .modify(prefix(0x0A00_0000, 8, port: 9)), .insert(prefix(1 << 24, 8, port: 3)),
            .insert(prefix(2 << 24, 8, port: 3)),
          ])
          Issue.record("three fit into two")
        } catch { #expect(error.code == .resourceExhausted) }
        #expect(try plane.entries(of: "routes") == [good])
        #expect(port(plane, dst: 0x0A00_0001) == .forward(2))
        #expect(port(plane, dst: 1 << 24) == .forward(1))
        let wild = try makeDataplane(Self.rules)
        do throws(DataplaneError) {
          try wild.apply([.insert(entry([0, 0, 0, 0, 0, 0, 1 << 31], port: 2))])
          Issue.record("a priority of 32 bits")
        } catch { #expect(error.code == .outOfRange) }
      }

      /// An exact key whose fields have another one in between.
      @Test func exactFieldsApart() throws {
        let plane = try makeDataplane(Self.apart)
        try plane.apply([
          .insert(entry([3, 0x0A00_0001], port: 2)), .insert(entry([4, 0x0A00_0001], port: 3)),
        ])
        #expect(port(plane, dst: 0x0A00_0001, tos: 3) == .forward(2))
        #expect(port(plane, dst: 0x0A00_0001, tos: 4) == .forward(3))
        #expect(port(plane, dst: 0x0A00_0001, tos: 5) == .forward(1))
        #expect(port(plane, dst: 0x0A00_0002, tos: 3) == .forward(1))
        try plane.apply([.delete(table: "routes", key: [3, 0x0A00_0001])])
        #expect(port(plane, dst: 0x0A00_0001, tos: 3) == .forward(1))
        #expect(try plane.entries(of: "routes") == [entry([4, 0x0A00_0001], port: 3)])
      }

      /// Random lives of a table, every frame against what the entries say.
      @Test(arguments: [1, 2, 3, 4, 5, 6])
      func asTheEntriesSay(seed: UInt64) throws {
        let isLPM = seed.isMultiple(of: 2)
        let plane = try makeDataplane(isLPM ? Self.prefixes : Self.rules) {
          $0.sizes = ["routes": 48]
        }
        var random = SplitMix64(seed: seed)
        var present: [[UInt64]: TableEntry] = [:]
        for _ in 0..<120 {
          var updates: [Update] = []
          for _ in 0..<Int.random(in: 1...6, using: &random) {
            updates.append(
              update(isLPM ? randomPrefix(&random) : randomRule(&random), &random))
          }
          do throws(DataplaneError) {
            try plane.apply(updates)
            for update in updates { Self.take(update, &present) }
          } catch {}
          #expect(
            Set(try plane.entries(of: "routes")) == Set(present.values), "seed \(seed)")
          for _ in 0..<30 {
            let (src, dst) = (Self.address(&random), Self.address(&random))
            let tos = UInt8.random(in: 0...3, using: &random)
            let fields = isLPM ? [UInt64(dst)] : [UInt64(tos), UInt64(src), UInt64(dst)]
            let expected = Self.winner(fields, present.values).map { PortID($0.arguments[0]) } ?? 1
            #expect(
              port(plane, src: src, dst: dst, tos: tos) == .forward(expected),
              "seed \(seed): \(fields)")
          }
        }
      }

      /// Few bits differ, so that much matches.
      private static func address(_ random: inout SplitMix64) -> UInt32 {
        UInt32.random(in: 0...3, using: &random) << 30
          | UInt32.random(in: 0...3, using: &random) << 15
          | UInt32.random(in: 0...3, using: &random)
      }

      private func randomPrefix(_ random: inout SplitMix64) -> TableEntry {
        let bits = [0, 1, 2, 8, 16, 17, 31, 32].randomElement(using: &random) ?? 0
        return prefix(
          Self.address(&random), UInt32(bits), port: UInt64.random(in: 2..<64, using: &random))
      }

      private func randomRule(_ random: inout SplitMix64) -> TableEntry {
        let masks: [UInt64] = [
          [0, 0xFF, 1].randomElement(using: &random) ?? 0,
          [0, 0xFFFF_FFFF, 0xC000_0000, 0x8000_0001].randomElement(using: &random) ?? 0,
          [0, 0xFFFF_FFFF, 0x0001_8000, 3].randomElement(using: &random) ?? 0,
        ]
        let values = [
          UInt64.random(in: 0...3, using: &random), UInt64(Self.address(&random)),
          UInt64(Self.address(&random)),
        ]
        let key = zip(values, masks).map { $0 & $1 } + masks
        return entry(
          key + [UInt64.random(in: 0...4, using: &random)],
          port: UInt64.random(in: 2..<64, using: &random))
      }

      private func update(_ entry: TableEntry, _ random: inout SplitMix64) -> Update {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .modify(entry)
        case 1: .delete(table: "routes", key: entry.key)
        default: .insert(entry)
        }
      }

      private static func take(_ update: Update, _ present: inout [[UInt64]: TableEntry]) {
        switch update {
        case .insert(let entry), .modify(let entry): present[entry.key] = entry
        case .delete(_, let key): present[key] = nil
        default: break
        }
      }

      /// What a reader of the entries would say: of those that match, the one of the greatest
      /// priority, or of the longest prefix; of equals the one with the lesser key.
      private static func winner(
        _ fields: [UInt64], _ entries: some Sequence<TableEntry>
      ) -> TableEntry? {
        let count = fields.count
        let matching = entries.filter { entry in
          (0..<count).allSatisfy { fields[$0] & entry.key[count + $0] == entry.key[$0] }
        }
        func rank(_ entry: TableEntry) -> UInt64 {
          count == 1 ? entry.key[1] : entry.key[2 * count]
        }
        return matching.max { a, b in
          rank(a) != rank(b) ? rank(a) < rank(b) : b.key.lexicographicallyPrecedes(a.key)
        }
      }
    }
  }

  extension String {
    fileprivate func replacingOccurrences(_ old: String, with new: String) -> String {
      split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
  }
#endif
