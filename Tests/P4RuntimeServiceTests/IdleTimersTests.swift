import Core
import P4RuntimeCodec
import P4RuntimeTesting
import Testing

@testable import P4RuntimeService

/// When entries are looked at and told of. Time is an argument.
@Suite struct IdleTimersTests {
  private static func row(_ n: UInt64) -> ProfileState.RowID {
    ProfileState.RowID(table: 1, key: MatchKey(values: [n]))
  }

  private static func ms(_ milliseconds: UInt64) -> Timestamp {
    Timestamp(nanoseconds: milliseconds * 1_000_000)
  }

  /// Rows that are idle at a time, when they were last hit at these.
  private static func told(
    _ timers: inout IdleTimers, at now: Timestamp, hits: [UInt64: Timestamp] = [:]
  ) -> [UInt64] {
    timers.due(at: now, limit: 100).filter {
      timers.settle($0, lastHit: hits[$0.key.values[0]] ?? .zero, at: now)
    }.map { $0.key.values[0] }
  }

  @Test func toldOnceAPeriod() {
    var timers = IdleTimers()
    #expect(timers.next == nil)
    timers.set(Self.row(1), 1_000_000_000, at: Self.ms(500))
    #expect(timers.next == Self.ms(1500))
    #expect(Self.told(&timers, at: Self.ms(1499)) == [])
    #expect(Self.told(&timers, at: Self.ms(1500)) == [1])
    #expect(Self.told(&timers, at: Self.ms(1500)) == [])
    #expect(Self.told(&timers, at: Self.ms(2499)) == [])
    #expect(Self.told(&timers, at: Self.ms(2600)) == [1])
    #expect(timers.next == Self.ms(3600))
  }

  @Test func hitsPutItOff() {
    var timers = IdleTimers()
    timers.set(Self.row(1), 1_000_000_000, at: .zero)
    #expect(Self.told(&timers, at: Self.ms(1000), hits: [1: Self.ms(900)]) == [])
    #expect(timers.next == Self.ms(1900))
    #expect(Self.told(&timers, at: Self.ms(1900), hits: [1: Self.ms(900)]) == [1])
    // A look that comes late finds out that it was idle, whatever came since its last turn.
    #expect(Self.told(&timers, at: Self.ms(5000), hits: [1: Self.ms(3000)]) == [1])
  }

  @Test func changes() {
    var timers = IdleTimers()
    timers.set(Self.row(1), 1_000_000_000, at: .zero)
    timers.set(Self.row(2), 2_000_000_000, at: .zero)
    // A shorter timeout counts from the same time, a longer one, too.
    timers.set(Self.row(1), 300_000_000, at: Self.ms(200))
    #expect(timers.next == Self.ms(300))
    timers.set(Self.row(1), 5_000_000_000, at: Self.ms(200))
    #expect(Self.told(&timers, at: Self.ms(1500)) == [])
    timers.set(Self.row(2), 0, at: Self.ms(1600))
    #expect(Self.told(&timers, at: Self.ms(4999)) == [])
    #expect(Self.told(&timers, at: Self.ms(5000)) == [1])
    timers.set(Self.row(1), 0, at: Self.ms(5000))
    #expect(Self.told(&timers, at: Self.ms(100_000)) == [])
    #expect(timers.next == nil)
  }

  @Test func extremes() {
    var timers = IdleTimers()
    timers.set(Self.row(1), 1, at: Self.ms(100))
    #expect(timers.next == Self.ms(110))
    timers.set(Self.row(2), .max, at: Timestamp(nanoseconds: .max - 5))
    #expect(Self.told(&timers, at: Self.ms(110)) == [1])
    #expect(timers.next == Self.ms(120))
  }

  /// No more than asked for at a time, and all of them in the end.
  @Test func manyAtOnce() {
    var timers = IdleTimers()
    for n in 1...1000 { timers.set(Self.row(UInt64(n)), 1_000_000_000, at: .zero) }
    var seen: Set<UInt64> = []
    while true {
      let rows = timers.due(at: Self.ms(1000), limit: 64)
      #expect(rows.count <= 64)
      if rows.isEmpty { break }
      for row in rows where timers.settle(row, lastHit: .zero, at: Self.ms(1000)) {
        seen.insert(row.key.values[0])
      }
    }
    #expect(seen.count == 1000)
  }

  /// Against timers that are all looked at every time.
  @Test(arguments: 1...20) func againstAPlainList(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var timers = IdleTimers()
    var plain: [UInt64: (timeout: UInt64, since: UInt64)] = [:]
    var hits: [UInt64: Timestamp] = [:]
    for now in UInt64(1)...2000 {
      let n = UInt64.random(in: 1...8, using: &random)
      switch UInt64.random(in: 0..<4, using: &random) {
      case 0:
        let timeout = UInt64.random(in: 10...200, using: &random)
        timers.set(Self.row(n), Int64(timeout * 1_000_000), at: Self.ms(now))
        plain[n] = (timeout, plain[n]?.since ?? now)
      case 1 where now % 16 == 0:
        timers.set(Self.row(n), 0, at: Self.ms(now))
        plain[n] = nil
      default: hits[n] = Self.ms(now)
      }
      var expected: Set<UInt64> = []
      for (n, timer) in plain {
        let since = max(timer.since, (hits[n]?.nanoseconds ?? 0) / 1_000_000)
        plain[n]?.since = since
        if since + timer.timeout <= now {
          expected.insert(n)
          plain[n]?.since = now
        }
      }
      #expect(Set(Self.told(&timers, at: Self.ms(now), hits: hits)) == expected, "at \(now)")
    }
  }
}

/// The same numbers on each run.
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
