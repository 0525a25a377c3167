import Core
import Testing

/// Keys with masks and priorities in a table store.
@Suite struct RuleKeyTests {
  private static func store(_ match: Contract.MatchKind, size: Int = 4) -> TableStore {
    TableStore(
      contract: Contract(
        actions: ["go": .init(name: "go", arguments: [.init(name: "port", bits: 32)])],
        tables: [
          .init(
            name: "t", key: [.init(name: "a", bits: 32), .init(name: "b", bits: 64)],
            match: match, actions: ["go"], defaultAction: "go", size: size)
        ], learners: [], selectors: []))
  }

  private static func entry(_ key: [UInt64], _ port: UInt64 = 1) -> TableEntry {
    TableEntry(table: "t", key: key, action: "go", arguments: [port])
  }

  private static let all: [UInt64] = [0xFFFF_FFFF, .max]

  @Test func theWholeKeyIsTheKey() throws {
    var store = Self.store(.wildcard)
    let entries = [
      Self.entry([1, 2] + Self.all + [7]), Self.entry([1, 2] + Self.all + [8]),
      Self.entry([1, 0, 0xFFFF_FFFF, 0, 7]),
    ]
    _ = try store.commit(entries.map { .insert($0) })
    #expect(
      try store.entries(of: "t")
        == entries.sorted { $0.key.lexicographicallyPrecedes($1.key) })
    #expect(throws: DataplaneError.self) { try store.commit([.insert(entries[1])]) }
    let changes = try store.commit([
      .modify(Self.entry(entries[0].key, 5)), .delete(table: "t", key: entries[2].key),
    ])
    #expect(try store.entries(of: "t").map(\.arguments) == [[5], [1]])
    store.takeBack(changes)
    #expect(Set(try store.entries(of: "t")) == Set(entries))
  }

  @Test(arguments: [
    (
      Contract.MatchKind.wildcard, [1, 2, 0xFFFF_FFFF, UInt64.max],
      DataplaneError.Code.invalidArgument
    ),
    (.wildcard, [1, 2, 0, .max, 0], .outOfRange), (.wildcard, [0, 2, 0, 1, 0], .outOfRange),
    (.wildcard, [0, 0, 1 << 32, 0, 0], .outOfRange),
    (.wildcard, [0, 0, 0, 0, 1 << 31], .outOfRange),
    (.lpm, [0, 0, 0xFFFF_FFFF, 0xFF, 0], .invalidArgument),
    (.lpm, [0, 0, 0xFFFF_FFFF, 0, 1], .outOfRange), (.exact, [1, 2, 0, 0, 0], .invalidArgument),
  ])
  func refused(_ match: Contract.MatchKind, _ key: [UInt64], _ code: DataplaneError.Code) {
    var store = Self.store(match)
    do throws(DataplaneError) {
      _ = try store.commit([.insert(Self.entry(key))])
      Issue.record("\(key) is taken")
    } catch { #expect(error.code == code, "\(key): \(error)") }
    #expect(store.count(of: "t") == 0)
  }

  /// Every batch, taken back, leaves what was before.
  @Test(arguments: [Contract.MatchKind.exact, .wildcard, .lpm])
  func takenBack(match: Contract.MatchKind) throws {
    var random = SeededGenerator(seed: 5)
    var store = Self.store(match, size: 6)
    for _ in 0..<500 {
      var updates: [Update] = []
      for _ in 0..<4 {
        var key: [UInt64] = [UInt64.random(in: 0...3, using: &random), 1]
        if match != .exact { key += Self.all + [0] }
        let entry = Self.entry(key, UInt64.random(in: 0...9, using: &random))
        switch Int.random(in: 0..<3, using: &random) {
        case 0: updates.append(.insert(entry))
        case 1: updates.append(.modify(entry))
        default: updates.append(.delete(table: "t", key: key))
        }
      }
      let before = try store.entries(of: "t")
      guard let changes = try? store.commit(updates) else {
        #expect(try store.entries(of: "t") == before)
        continue
      }
      if Bool.random(using: &random) {
        store.takeBack(changes)
        #expect(try store.entries(of: "t") == before)
      }
    }
  }
}
