import Core
import Testing

@testable import SimDataplane

/// Buckets of four with an expiry each, as DPDK's learner tables are.
@Suite final class LearnerTableTests {
  private typealias Table = LearnerTable<FlowData>
  private let step: UInt64 = 1 << 32
  /// Profile 0: three steps, 1: ten.
  private let timers = Timers(seconds: [3, 10], clock: EngineClock(hertz: 1 << 32))
  private let start = EngineClock.origin

  private func key(_ n: UInt32) -> FlowKey {
    FlowKey(src: n, srcPort: 1, dst: 2, dstPort: 3, kind: 6, mix: 0)
  }

  private func data(_ n: UInt32) -> FlowData { FlowData(id: n, ip: n, port: 1, kind: 6, nat: 1) }

  /// Looks up, and learns what is missing.
  private func learn(
    _ table: inout Table, _ n: UInt32, hash: UInt32 = 8, timer: UInt8 = 0, now: UInt64
  ) -> Bool {
    let (place, hit) = table.lookUp(key(n), hash: hash, now: now)
    return !hit && table.learn(key(n), data(n), timer: timer, at: place, now: now, timers: timers)
  }

  private func holds(_ table: inout Table, _ n: UInt32, hash: UInt32 = 8, now: UInt64) -> Bool {
    let (place, hit) = table.lookUp(key(n), hash: hash, now: now)
    return hit && table.data(at: place).id == n
  }

  @Test func sizesArePowersOfTwo() {
    for (requested, buckets) in [(1, 1), (2, 2), (3, 4), (64, 64), (65, 128)] {
      #expect(Table(buckets: requested).buckets == buckets)
    }
  }

  @Test func fourToABucket() {
    var table = Table(buckets: 4)
    for n in UInt32(1)...4 { #expect(learn(&table, n, now: start)) }
    #expect(!learn(&table, 5, now: start))
    for n in UInt32(1)...4 { #expect(holds(&table, n, now: start)) }
    #expect(!holds(&table, 5, now: start))
    // Another bucket has room.
    #expect(learn(&table, 5, hash: 9, now: start))
    #expect((table.learned, table.learnFailures) == (5, 1))
    #expect((table.hits, table.misses) == (4, 7))
  }

  /// The same hash is not the same key, nor the same key under another hash.
  @Test func keysAreCompared() {
    var table = Table(buckets: 1)
    #expect(learn(&table, 1, hash: 8, now: start))
    #expect(!holds(&table, 2, hash: 8, now: start))
    #expect(!holds(&table, 1, hash: 16, now: start))
    // The lowest bit is no part of the signature.
    #expect(holds(&table, 1, hash: 9, now: start))
  }

  @Test(arguments: [0, 1, 1 << 31, (1 << 32) - 1] as [UInt64])
  func expiresAtAStep(offset: UInt64) {
    var table = Table(buckets: 1)
    #expect(learn(&table, 1, now: start + offset))
    let expiry = start + 3 * step
    #expect(holds(&table, 1, now: expiry - 1))
    #expect(!holds(&table, 1, now: expiry))
  }

  /// At the very cycle of its expiry an entry is dead, and its place not yet free.
  @Test func neitherAliveNorFree() {
    var table = Table(buckets: 1)
    for n in UInt32(1)...4 { _ = learn(&table, n, now: start) }
    let expiry = start + 3 * step
    #expect(!holds(&table, 1, now: expiry))
    #expect(!learn(&table, 5, now: expiry))
    #expect(learn(&table, 5, now: expiry + 1))
    #expect(holds(&table, 5, now: expiry + 1))
  }

  @Test func firstFreePlaceIsTaken() {
    var table = Table(buckets: 1)
    for n in UInt32(1)...4 { _ = learn(&table, n, timer: n == 3 ? 0 : 1, now: start) }
    let later = start + 4 * step
    #expect(learn(&table, 6, now: later))
    #expect(!learn(&table, 7, now: later))
    for n: UInt32 in [1, 2, 4, 6] { #expect(holds(&table, n, now: later)) }
    var order: [UInt32] = []
    table.forEachLive(now: later) { _, data, _, _ in order.append(data.id) }
    #expect(order == [1, 2, 6, 4])
  }

  @Test func rearming() {
    var table = Table(buckets: 1)
    _ = learn(&table, 1, now: start)
    var now = start + 2 * step
    table.rearm(table.lookUp(key(1), hash: 8, now: now).place, now: now, timers: timers)
    now += 2 * step
    #expect(holds(&table, 1, now: now))
    // Another timer is kept from then on.
    table.rearm(table.lookUp(key(1), hash: 8, now: now).place, timer: 1, now: now, timers: timers)
    now += 9 * step
    #expect(holds(&table, 1, now: now))
    table.rearm(table.lookUp(key(1), hash: 8, now: now).place, now: now, timers: timers)
    #expect(holds(&table, 1, now: now + 10 * step - 1))
    #expect(!holds(&table, 1, now: now + 10 * step))
    #expect(table.rearms == 3)
  }

  @Test func liveEntries() {
    var table = Table(buckets: 64)
    for n in UInt32(0)..<32 { _ = learn(&table, n, hash: n, timer: UInt8(n % 2), now: start) }
    var live: Set<UInt32> = []
    table.forEachLive(now: start + 5 * step) { key, data, timer, expiry in
      #expect(key == self.key(data.id))
      #expect(timer == 1)
      #expect(expiry == start + 10 * step)
      live.insert(data.id)
    }
    #expect(live == Set((UInt32(0)..<32).filter { $0 % 2 == 1 }))
  }

  /// What follows four entries in memory is no entry, whatever it says.
  @Test func thereIsNoFifth() {
    var table = Table(buckets: 1)
    // Read as a fifth entry, the hash of the first would be a time, the timers a hash,
    // and its data a key.
    let (place, _) = table.lookUp(key(1), hash: .max, now: start)
    let data = FlowData(id: 1, ip: 2, port: 3, kind: 4, nat: 5)
    let isLearned = table.learn(
      key(1), data, timer: 1, at: place, now: start, timers: timers)
    #expect(isLearned)
    for n in UInt32(2)...4 { #expect(learn(&table, n, now: start)) }
    var asKey = FlowKey.zero
    asKey.low = 1 | 2 << 32
    asKey.high = 3 | 4 << 16 | 5 << 24
    let isFound = table.lookUp(asKey, hash: 1, now: start).hit
    #expect(!isFound)
    // Nor is there room for one, once its time seems to be over.
    var full = Table(buckets: 1)
    let late = UInt64(1) << 60
    for n in UInt32(1)...4 { #expect(learn(&full, n, now: late)) }
    #expect(!learn(&full, 5, now: late))
  }

  /// A table nobody wrote to has nothing in it.
  @Test func empty() {
    var table = Table(buckets: 8)
    #expect(!table.lookUp(.zero, hash: 0, now: start).hit)
    table.forEachLive(now: start) { _, _, _, _ in Issue.record("a live entry") }
  }
}
