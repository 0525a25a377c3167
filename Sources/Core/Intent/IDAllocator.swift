/// Hands out 32-bit ids from 1 on.
///
/// Learned flows carry endpoint ids, and nobody tells the control plane when
/// the last flow with an id has aged. An id used again too soon would give such
/// a flow to a stranger. So ids only rise, and one comes back after 2³² − 1
/// others at the earliest. Service ids follow the same rule, so that a row of
/// `slots` never speaks for two Services in the life of any reader.
struct IDAllocator: Sendable, Codable {
  /// The last id given; 0 before the first.
  private(set) var last: UInt32 = 0
  /// Whether ids started over, so that the next ones may be in use.
  private(set) var hasWrapped = false

  init(last: UInt32 = 0) { self.last = last }

  /// Goes on where another one ended of which nothing is known but ids that it gave.
  ///
  /// - Parameter used: at least those that anybody may still remember.
  init(after used: Set<UInt32>) {
    last = Ring.beforeLongestGap(in: used, of: 1 << 32) ?? 0
    hasWrapped = used.contains { $0 > last }
  }

  /// - Parameter live: ids in use; looked at only when ``hasWrapped``, and
  ///   far smaller than 2³² because tables are.
  mutating func next(live: Set<UInt32>) -> UInt32 {
    repeat {
      if last == .max {
        last = 0
        hasWrapped = true
      }
      last += 1
    } while hasWrapped && live.contains(last)
    return last
  }
}

/// Numbers that rise and then start over.
enum Ring {
  /// The number that was given last, when those that came after it are the longest unused run:
  /// it is as long as can be until one of these is given again.
  ///
  /// - Parameter size: of the ring; numbers are less.
  static func beforeLongestGap(in used: Set<UInt32>, of size: UInt64) -> UInt32? {
    let sorted = used.sorted()
    guard let first = sorted.first, var last = sorted.last else { return nil }
    var longest = size - UInt64(last) + UInt64(first)
    for (number, next) in zip(sorted, sorted.dropFirst()) where UInt64(next - number) > longest {
      (last, longest) = (number, UInt64(next - number))
    }
    return last
  }
}
