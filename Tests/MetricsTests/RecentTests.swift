import Metrics
import Synchronization
import Testing

@Suite struct RecentTests {
  /// All that ask while a value is made get that one.
  @Test func madeOnceForAll() async {
    let (starts, started) = AsyncStream<Void>.makeStream()
    let (gates, gate) = AsyncStream<Void>.makeStream()
    let made = Atomic<Int>(0)
    let recent = Recent(for: .seconds(1000)) {
      started.yield()
      for await _ in gates {}
      return made.add(1, ordering: .relaxed).newValue
    }
    let values = await withTaskGroup(of: Int.self) { group in
      group.addTask { await recent.value() }
      for await _ in starts { break }
      for _ in 0..<100 { group.addTask { await recent.value() } }
      gate.finish()
      return await group.reduce(into: Set<Int>()) { $0.insert($1) }
    }
    #expect(values == [1])
    #expect(await recent.value() == 1)
  }

  @Test func madeAgainWhenOld() async {
    let made = Atomic<Int>(0)
    let recent = Recent(for: .zero) { made.add(1, ordering: .relaxed).newValue }
    #expect(await recent.value() == 1)
    #expect(await recent.value() == 2)
  }

  /// What takes long is made seldom.
  @Test func costLimitsHowOften() async {
    let made = Atomic<Int>(0)
    let recent = Recent(for: .zero, share: 1_000_000) {
      try? await Task.sleep(for: .milliseconds(5))
      return made.add(1, ordering: .relaxed).newValue
    }
    #expect(await recent.value() == 1)
    #expect(await recent.value() == 1)
  }
}
