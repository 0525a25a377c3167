/// Which endpoint each slot of one Service port belongs to.
///
/// A new flow takes slot `hash & (count − 1)`. Every endpoint owns its share of
/// the slots rounded down or up, and a change moves as few slots as possible.
struct SlotTable: Sendable, Codable {
  /// An endpoint that takes new flows.
  struct Share: Hashable, Sendable {
    var id: UInt32
    /// At least 1.
    var weight: UInt32
  }

  /// At least this many slots a Service port: a row.
  static let minimumCount = K8sDP.slotsPerRow
  /// At most this many slots a Service port.
  static let maximumCount = 65_536
  /// Shares come out within 1/8 of what their weights are worth.
  static let fairness: UInt64 = 8

  /// Endpoint id of each slot, 0 for none. The count is a power of two.
  private(set) var owners: [UInt32]
  /// Epoch of each slot, not wrapped: the pipeline has the lower seven bits.
  private(set) var epochs: [UInt32]
  /// Endpoint id → slots it owned before, while it has been in the Service.
  /// UDP flows may still be pinned to it from there.
  private var earlier: [UInt32: Set<Int>] = [:]

  /// - Parameter epoch: beyond any that a flow may remember.
  init(epoch: UInt32) {
    owners = Array(repeating: 0, count: Self.minimumCount)
    epochs = Array(repeating: epoch, count: Self.minimumCount)
  }

  var count: Int { owners.count }

  subscript(slot: Int) -> K8sDP.Slot {
    K8sDP.Slot(
      endpoint: owners[slot], epoch: UInt8(truncatingIfNeeded: epochs[slot] & 0x7F))
  }

  var latestEpoch: UInt32 { epochs.max() ?? 0 }

  /// The fewest slots with which these shares are fair, or nil when their weights
  /// differ too much for the least to get one.
  static func count(for shares: [Share]) -> Int? {
    guard shares.count > 1 else { return minimumCount }
    var total: UInt64 = 0
    var least = UInt32.max
    for share in shares {
      total += UInt64(share.weight)
      least = min(least, share.weight)
    }
    let parts = (total + UInt64(least) - 1) / UInt64(least)
    guard parts <= UInt64(maximumCount) else { return nil }
    var count = minimumCount
    while count < maximumCount, !isFair(shares, of: total, count: UInt64(count)) { count *= 2 }
    return count
  }

  /// Whether each share of so many slots, rounded down and rounded up, is as near to what
  /// its weight is worth as ``fairness`` says.
  private static func isFair(_ shares: [Share], of total: UInt64, count: UInt64) -> Bool {
    shares.allSatisfy { share in
      let worth = count * UInt64(share.weight)
      let remainder = worth % total
      return remainder == 0 || fairness * max(remainder, total - remainder) <= worth
    }
  }

  /// Makes the slots belong to these endpoints by weight, in at least `needed`
  /// slots. Does nothing when they do already.
  mutating func assign(_ shares: [Share], needed: Int) {
    var positions: [UInt32: Int] = [:]
    positions.reserveCapacity(shares.count)
    for (position, share) in shares.enumerated() { positions[share.id] = position }
    dismiss { positions[$0] == nil }
    guard !shares.isEmpty else { return }
    while count < needed { double() }
    if count > 4 * needed { fold(to: needed) }
    balance(shares, positions)
  }

  /// Takes the slots from endpoints that left, and unpins the UDP flows of every
  /// slot that such an endpoint owns or owned.
  private mutating func dismiss(_ hasLeft: (UInt32) -> Bool) {
    var unpinned: Set<Int> = []
    for slot in owners.indices where owners[slot] != 0 && hasLeft(owners[slot]) {
      owners[slot] = 0
      unpinned.insert(slot)
    }
    for id in Array(earlier.keys) where hasLeft(id) {
      unpinned.formUnion(earlier.removeValue(forKey: id) ?? [])
    }
    for slot in unpinned { epochs[slot] += 1 }
  }

  /// Twice the slots. What hashed to slot i hashes to i or i + count now, and
  /// finds the same owner and epoch at both.
  private mutating func double() {
    let old = count
    owners += owners
    epochs += epochs
    earlier = earlier.mapValues { $0.union($0.map { $0 + old }) }
  }

  /// Fewer slots. Of those that become one the highest epoch holds, because
  /// lower ones may belong to flows that were unpinned; UDP flows of slots with
  /// a lower one choose anew.
  private mutating func fold(to size: Int) {
    let mask = size - 1
    for (id, slots) in earlier { earlier[id] = Set(slots.map { $0 & mask }) }
    for slot in size..<count {
      let target = slot & mask
      epochs[target] = max(epochs[target], epochs[slot])
      let owner = owners[slot]
      if owners[target] == 0 {
        owners[target] = owner
      } else if owner != 0, owner != owners[target] {
        earlier[owner, default: []].insert(target)
      }
    }
    owners.removeLast(count - size)
    epochs.removeLast(epochs.count - size)
  }

  /// Moves slots from endpoints that have too many, and those of nobody, to
  /// endpoints that have too few.
  private mutating func balance(_ shares: [Share], _ positions: [UInt32: Int]) {
    var owned = [Int](repeating: 0, count: shares.count)
    for owner in owners where owner != 0 {
      if let position = positions[owner] { owned[position] += 1 }
    }
    var wanted = quotas(shares, owned)
    if wanted == owned { return }

    // An odd factor visits every slot of a power of two once and far apart, so
    // that halves of the table have about the same owners.
    var free: [Int] = []
    for step in owners.indices {
      let slot = (step &* 0x9E37_79B1) & (count - 1)
      if owners[slot] != 0, let position = positions[owners[slot]], wanted[position] > 0 {
        wanted[position] -= 1
      } else {
        free.append(slot)
      }
    }
    var takers = shares.indices.filter { wanted[$0] > 0 }
    var turn = 0
    for slot in free where !takers.isEmpty {
      if turn >= takers.count { turn = 0 }
      let position = takers[turn]
      if owners[slot] != 0 { earlier[owners[slot], default: []].insert(slot) }
      owners[slot] = shares[position].id
      wanted[position] -= 1
      if wanted[position] == 0 { takers.remove(at: turn) } else { turn += 1 }
    }
  }

  /// Slots of each share: rounded up for those that own as many already, then
  /// for those with the greatest remainder, else rounded down.
  private func quotas(_ shares: [Share], _ owned: [Int]) -> [Int] {
    let total = shares.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
    var quotas: [Int] = []
    quotas.reserveCapacity(shares.count)
    var rest = count
    var candidates: [(position: Int, keeps: Bool, remainder: UInt64)] = []
    for (position, share) in shares.enumerated() {
      let (floor, remainder) = (UInt64(count) * UInt64(share.weight))
        .quotientAndRemainder(dividingBy: total)
      quotas.append(Int(floor))
      rest -= Int(floor)
      if remainder > 0 {
        candidates.append((position, owned[position] > Int(floor), remainder))
      }
    }
    if rest == 0 { return quotas }
    candidates.sort { a, b in
      if a.keeps != b.keeps { return a.keeps }
      if a.remainder != b.remainder { return a.remainder > b.remainder }
      return a.position < b.position
    }
    for candidate in candidates.prefix(rest) { quotas[candidate.position] += 1 }
    return quotas
  }
}
