import Testing

@testable import SimDataplane

@Suite struct ExactTableTests {
  /// Against a dictionary: few keys, so that they come and go and come again, and
  /// in runs, so that they lie on each other's places.
  @Test(arguments: UInt64(1)...4, [40, 400, 4000] as [UInt64])
  func likeADictionary(seed: UInt64, range: UInt64) {
    var random = SeededGenerator(seed: seed)
    var table = ExactTable<UInt32>()
    var model: [UInt64: UInt32] = [:]
    for i in 0..<UInt32(6000) {
      let n = UInt64.random(in: 0..<range, using: &random)
      let key = seed % 2 == 0 ? n : n << 32 | 0x50
      // First it grows, then it shrinks.
      if Int.random(in: 0..<100, using: &random) < (i < 4000 ? 65 : 25) {
        table.set(key, i)
        model[key] = i
      } else {
        table.remove(key)
        model[key] = nil
      }
      if i % 500 == 0 { compare(&table, model, range, seed) }
      guard table.lookUp(key) == model[key], table.count == model.count else {
        Issue.record("step \(i), key \(key)")
        return
      }
    }
    for key in Array(model.keys) {
      table.remove(key)
      model[key] = nil
      #expect(table.lookUp(key) == nil)
    }
    #expect(table.count == 0)
  }

  private func compare(
    _ table: inout ExactTable<UInt32>, _ model: [UInt64: UInt32], _ range: UInt64, _ seed: UInt64
  ) {
    for n in 0..<range {
      let key = seed % 2 == 0 ? n : n << 32 | 0x50
      if table.lookUp(key) != model[key] { Issue.record("key \(key)") }
    }
  }

  @Test func countsLookUps() {
    var table = ExactTable<UInt32>()
    table.set(1, 2)
    #expect(table.lookUp(1) == 2)
    #expect(table.lookUp(2) == nil)
    #expect(table.lookUp(0) == nil)
    #expect((table.hits, table.misses) == (1, 2))
  }

  @Test func removingWhatIsNotThere() {
    var table = ExactTable<UInt32>()
    table.remove(0)
    table.set(0, 1)
    table.remove(1)
    #expect(table.count == 1)
    #expect(table.lookUp(0) == 1)
  }
}
