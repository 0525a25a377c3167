/// An exact-match table whose key fits into 64 bits: open addressing with
/// linear probing, at most half full.
struct ExactTable<Value: BitwiseCopyable>: ~Copyable {
  private struct Entry: BitwiseCopyable {
    var key: UInt64
    var value: Value
  }

  private var entries: UnsafeMutablePointer<Entry>
  private var used: UnsafeMutablePointer<Bool>
  private var capacity: Int
  private(set) var count = 0

  var hits: UInt64 = 0
  var misses: UInt64 = 0

  init() {
    capacity = 16
    entries = .allocate(capacity: capacity)
    used = .allocate(capacity: capacity)
    used.initialize(repeating: false, count: capacity)
  }

  deinit {
    entries.deallocate()
    used.deallocate()
  }

  @inline(__always)
  private func home(_ key: UInt64) -> Int {
    // Fibonacci hashing: the upper bits of the product are the mixed ones.
    let product = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: (product ^ product &>> 32) & UInt64(capacity &- 1))
  }

  /// Looks a key up and counts it.
  @inline(__always)
  mutating func lookUp(_ key: UInt64) -> Value? {
    var i = home(key)
    while used[i] {
      if entries[i].key == key {
        hits &+= 1
        return entries[i].value
      }
      i = (i &+ 1) & (capacity &- 1)
    }
    misses &+= 1
    return nil
  }

  mutating func set(_ key: UInt64, _ value: Value) {
    if (count + 1) * 2 > capacity { grow() }
    var i = home(key)
    while used[i] {
      if entries[i].key == key {
        entries[i].value = value
        return
      }
      i = (i + 1) & (capacity - 1)
    }
    used[i] = true
    entries[i] = Entry(key: key, value: value)
    count += 1
  }

  mutating func remove(_ key: UInt64) {
    var hole = home(key)
    while used[hole], entries[hole].key != key { hole = (hole + 1) & (capacity - 1) }
    guard used[hole] else { return }
    // Close the gap: move back whatever a probe would no longer reach.
    var i = hole
    while true {
      i = (i + 1) & (capacity - 1)
      guard used[i] else { break }
      let distance = (i - home(entries[i].key)) & (capacity - 1)
      if distance >= (i - hole) & (capacity - 1) {
        entries[hole] = entries[i]
        hole = i
      }
    }
    used[hole] = false
    count -= 1
  }

  private mutating func grow() {
    let (oldEntries, oldUsed, oldCapacity) = (entries, used, capacity)
    capacity *= 2
    entries = .allocate(capacity: capacity)
    used = .allocate(capacity: capacity)
    used.initialize(repeating: false, count: capacity)
    for i in 0..<oldCapacity where oldUsed[i] {
      var j = home(oldEntries[i].key)
      while used[j] { j = (j + 1) & (capacity - 1) }
      used[j] = true
      entries[j] = oldEntries[i]
    }
    oldEntries.deallocate()
    oldUsed.deallocate()
  }
}
