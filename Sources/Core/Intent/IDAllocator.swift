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
