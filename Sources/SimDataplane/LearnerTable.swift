import Core

/// A table that learns: buckets of four entries, each with its own expiry.
///
/// Buckets, placement and expiry are those of DPDK 22.11's
/// `rte_swx_table_learner.c`, so that the same entry is refused, evicted by
/// nobody and dead at the same cycle:
///
/// ```
/// | expiry 4×4 | signature 4×4 | timer 4×1 | pad 28 | key 4×16 | data 4×16 |
/// ```
///
/// An entry is live while its expiry (in units of 2³² cycles) lies in the
/// future, and its place is free once it lies in the past; in between it is
/// neither.
struct LearnerTable<Data: BitwiseCopyable>: ~Copyable {
  private static var bucketSize: Int { 192 }
  private static var keyOffset: Int { 64 }
  private static var dataOffset: Int { 128 }
  private static var bucketsOfBlock: Int { 4096 }

  let buckets: Int
  private let block: ZeroedMemory
  /// Whether a block of buckets ever had an entry: reading the others would cost memory.
  private let touched: UnsafeMutablePointer<Bool>
  private let blocks: Int
  private var memory: UnsafeMutableRawPointer { block.base }
  private let mask: UInt32

  var hits: UInt64 = 0
  var misses: UInt64 = 0
  var learned: UInt64 = 0
  var learnFailures: UInt64 = 0
  var rearms: UInt64 = 0

  /// Where an entry lies, or would lie.
  struct Place {
    fileprivate var bucket: UnsafeMutableRawPointer
    fileprivate var position: Int
    fileprivate var signature: UInt32
  }

  /// - Parameter buckets: rounded up to a power of two.
  init(buckets requested: Int) {
    precondition(MemoryLayout<Data>.stride <= 16)
    var buckets = 1
    while buckets < requested { buckets *= 2 }
    self.buckets = buckets
    mask = UInt32(truncatingIfNeeded: buckets - 1)
    block = ZeroedMemory(bytes: buckets * Self.bucketSize)
    blocks = (buckets + Self.bucketsOfBlock - 1) / Self.bucketsOfBlock
    touched = .allocate(capacity: blocks)
    touched.initialize(repeating: false, count: blocks)
  }

  deinit { touched.deallocate() }

  /// Finds the live entry with a key.
  ///
  /// - Returns: its place and whether it is there.
  @inline(__always)
  mutating func lookUp(_ key: FlowKey, hash: UInt32, now: UInt64) -> (place: Place, hit: Bool) {
    let bucket = memory + Int(hash & mask) &* Self.bucketSize
    let signature = hash | 1
    for i in 0..<4 {
      let time = bucket.load(fromByteOffset: i &* 4, as: UInt32.self)
      if UInt64(time) &<< 32 > now,
        bucket.load(fromByteOffset: 16 &+ i &* 4, as: UInt32.self) == signature,
        bucket.load(fromByteOffset: Self.keyOffset &+ i &* 16, as: FlowKey.self) == key
      {
        hits &+= 1
        return (Place(bucket: bucket, position: i, signature: signature), true)
      }
    }
    misses &+= 1
    return (Place(bucket: bucket, position: -1, signature: signature), false)
  }

  /// Fetches the cache lines of a bucket; the loads of several do not wait for
  /// each other.
  ///
  /// - Returns: a value to use, so that the loads stay.
  @inline(__always)
  func touch(hash: UInt32) -> UInt32 {
    let bucket = memory + Int(hash & mask) &* Self.bucketSize
    return bucket.load(as: UInt32.self)
      ^ bucket.load(fromByteOffset: Self.keyOffset, as: UInt32.self)
      ^ bucket.load(fromByteOffset: Self.dataOffset, as: UInt32.self)
  }

  /// What the entry at a place says.
  @inline(__always)
  func data(at place: Place) -> Data {
    place.bucket.load(fromByteOffset: Self.dataOffset &+ place.position &* 16, as: Data.self)
  }

  /// Starts the timer the entry was last armed with again.
  @inline(__always)
  mutating func rearm(_ place: Place, now: UInt64, timers: borrowing Timers) {
    rearms &+= 1
    let timer = place.bucket.load(fromByteOffset: 32 &+ place.position, as: UInt8.self)
    let time = UInt32(truncatingIfNeeded: (now &+ timers[timer]) &>> 32)
    place.bucket.storeBytes(of: time, toByteOffset: place.position &* 4, as: UInt32.self)
  }

  /// Arms the entry with another timer.
  @inline(__always)
  mutating func rearm(_ place: Place, timer: UInt8, now: UInt64, timers: borrowing Timers) {
    rearms &+= 1
    arm(place, timer: timer, now: now, timers: timers)
  }

  @inline(__always)
  private func arm(_ place: Place, timer: UInt8, now: UInt64, timers: borrowing Timers) {
    let time = UInt32(truncatingIfNeeded: (now &+ timers[timer]) &>> 32)
    place.bucket.storeBytes(of: time, toByteOffset: place.position &* 4, as: UInt32.self)
    place.bucket.storeBytes(of: timer, toByteOffset: 32 &+ place.position, as: UInt8.self)
  }

  /// Puts an entry into the first free place of the bucket a look-up missed in.
  ///
  /// - Returns: false when the bucket has none.
  @inline(__always)
  mutating func learn(
    _ key: FlowKey, _ data: Data, timer: UInt8, at missed: Place, now: UInt64,
    timers: borrowing Timers
  ) -> Bool {
    let bucket = missed.bucket
    for i in 0..<4 {
      let time = bucket.load(fromByteOffset: i &* 4, as: UInt32.self)
      guard UInt64(time) &<< 32 < now else { continue }
      let place = Place(bucket: bucket, position: i, signature: missed.signature)
      arm(place, timer: timer, now: now, timers: timers)
      write(key, data, at: place)
      learned &+= 1
      return true
    }
    learnFailures &+= 1
    return false
  }

  @inline(__always)
  private func write(_ key: FlowKey, _ data: Data, at place: Place) {
    let (bucket, i) = (place.bucket, place.position)
    bucket.storeBytes(of: place.signature, toByteOffset: 16 &+ i &* 4, as: UInt32.self)
    bucket.storeBytes(of: key, toByteOffset: Self.keyOffset &+ i &* 16, as: FlowKey.self)
    bucket.storeBytes(of: data, toByteOffset: Self.dataOffset &+ i &* 16, as: Data.self)
    touched[(bucket - memory) / (Self.bucketSize &* Self.bucketsOfBlock)] = true
  }

  /// Puts an entry back that an earlier table had. Counts nothing.
  ///
  /// - Returns: false when there is one with the key, or no place that was never used.
  func restore(_ key: FlowKey, _ data: Data, timer: UInt8, expiry: UInt64, hash: UInt32) -> Bool {
    let bucket = memory + Int(hash & mask) &* Self.bucketSize
    for i in 0..<4 {
      guard bucket.load(fromByteOffset: i &* 4, as: UInt32.self) == 0 else {
        let other = bucket.load(fromByteOffset: Self.keyOffset &+ i &* 16, as: FlowKey.self)
        if other == key { return false }
        continue
      }
      let time = UInt32(truncatingIfNeeded: expiry &>> 32)
      bucket.storeBytes(of: time, toByteOffset: i &* 4, as: UInt32.self)
      bucket.storeBytes(of: timer, toByteOffset: 32 &+ i, as: UInt8.self)
      write(key, data, at: Place(bucket: bucket, position: i, signature: hash | 1))
      return true
    }
    return false
  }

  /// Calls a function with every live entry, in the order of the buckets.
  ///
  /// - Parameters:
  ///   - part: of the table, 0..<parts.
  func forEachLive(
    now: UInt64, part: Int = 0, of parts: Int = 1,
    _ body: (_ key: FlowKey, _ data: Data, _ timer: UInt8, _ expiry: UInt64) -> Void
  ) {
    let end = buckets * (part + 1) / parts
    var b = buckets * part / parts
    while b < end {
      let next = min(end, (b / Self.bucketsOfBlock + 1) * Self.bucketsOfBlock)
      if touched[b / Self.bucketsOfBlock] { forEachLive(in: b..<next, now: now, body) }
      b = next
    }
  }

  private func forEachLive(
    in range: Range<Int>, now: UInt64,
    _ body: (_ key: FlowKey, _ data: Data, _ timer: UInt8, _ expiry: UInt64) -> Void
  ) {
    for b in range {
      let bucket = memory + b * Self.bucketSize
      for i in 0..<4 {
        let expiry = UInt64(bucket.load(fromByteOffset: i * 4, as: UInt32.self)) << 32
        guard expiry > now else { continue }
        body(
          bucket.load(fromByteOffset: Self.keyOffset + i * 16, as: FlowKey.self),
          bucket.load(fromByteOffset: Self.dataOffset + i * 16, as: Data.self),
          bucket.load(fromByteOffset: 32 + i, as: UInt8.self), expiry)
      }
    }
  }
}

/// The lengths of the eight expire-time profiles in cycles.
struct Timers: ~Copyable {
  private let cycles: UnsafeMutablePointer<UInt64>

  init(seconds: [UInt32], clock: EngineClock) {
    cycles = .allocate(capacity: 8)
    for i in 0..<8 { cycles[i] = clock.cycles(seconds: i < seconds.count ? seconds[i] : 120) }
  }

  deinit { cycles.deallocate() }

  @inline(__always)
  subscript(profile: UInt8) -> UInt64 { cycles[Int(profile & 7)] }

  func set(_ profile: Int, cycles value: UInt64) { cycles[profile & 7] = value }
}
