/// Which endpoint each slot of one Service port belongs to.
///
/// A new flow takes slot `hash & (count − 1)`. Every endpoint has its share of
/// the slots, rounded up or down; a change moves as few slots as possible.
struct SlotTable: Hashable, Sendable {
  struct Slot: Hashable, Sendable {
    /// Endpoint id, 0 for none.
    var owner: UInt32 = 0
    /// 0...127. Part of the key of UDP flows: raising it unpins them.
    var epoch: UInt8 = 0
    /// Earlier owners that still serve: flows may be pinned to them.
    var formerOwners: Set<UInt32> = []
  }

  private(set) var slots: [Slot]

  /// At most this many slots a Service port: hash bits are dear.
  static let maximumCount = 65_536
  /// Slots an endpoint of the least weight gets at least, so that shares come
  /// out within 1/8.
  static let slotsPerShare = 8

  /// - Parameter epoch: that of all slots: beyond any that flows may remember.
  init(epoch: UInt8) { slots = [Slot(epoch: epoch & 0x7F)] }

  /// Makes the slots belong to the endpoints by weight.
  ///
  /// - Parameter weights: endpoint id → weight, at least 1.
  /// - Throws: when the weights differ too much.
  mutating func assign(_ weights: [UInt32: UInt32], service: String) throws(IntentError) {
    let count = try Self.count(weights, service)
    while slots.count < count { slots += slots }

    unpinDeparted(weights)
    guard !weights.isEmpty else { return }

    let targets = targets(weights)
    var owned: [UInt32: Int] = [:]
    var free: [Int] = []
    for i in slots.indices {
      let owner = slots[i].owner
      let have = owned[owner, default: 0]
      if owner != 0, have < targets[owner, default: 0] {
        owned[owner] = have + 1
      } else {
        free.append(i)
      }
    }
    var next = free.makeIterator()
    for id in weights.keys.sorted() {
      for _ in owned[id, default: 0]..<targets[id, default: 0] {
        guard let i = next.next() else { break }
        if slots[i].owner != 0 { slots[i].formerOwners.insert(slots[i].owner) }
        slots[i].formerOwners.remove(id)
        slots[i].owner = id
      }
    }
  }

  /// UDP flows pinned to an endpoint that no longer serves move at once.
  private mutating func unpinDeparted(_ weights: [UInt32: UInt32]) {
    for i in slots.indices {
      let slot = slots[i]
      var hasDeparted = slot.owner != 0 && weights[slot.owner] == nil
      if hasDeparted { slots[i].owner = 0 }
      for former in slot.formerOwners where weights[former] == nil {
        slots[i].formerOwners.remove(former)
        hasDeparted = true
      }
      if hasDeparted { slots[i].epoch = (slot.epoch + 1) & 0x7F }
    }
  }

  /// The number of slots of each endpoint: its share rounded down, or up where
  /// it has as many already or the remainder is greatest.
  private func targets(_ weights: [UInt32: UInt32]) -> [UInt32: Int] {
    let total = weights.values.reduce(UInt64(0)) { $0 + UInt64($1) }
    var owned: [UInt32: Int] = [:]
    for slot in slots where slot.owner != 0 { owned[slot.owner, default: 0] += 1 }
    var targets: [UInt32: Int] = [:]
    var candidates: [(id: UInt32, keeps: Bool, remainder: UInt64)] = []
    var left = slots.count
    for (id, weight) in weights {
      let (share, remainder) = (UInt64(slots.count) * UInt64(weight)).quotientAndRemainder(
        dividingBy: total)
      targets[id] = Int(share)
      left -= Int(share)
      if remainder > 0 {
        candidates.append((id, owned[id, default: 0] > Int(share), remainder))
      }
    }
    candidates.sort {
      if $0.keeps != $1.keeps { return $0.keeps }
      if $0.remainder != $1.remainder { return $0.remainder > $1.remainder }
      return $0.id < $1.id
    }
    for candidate in candidates.prefix(left) { targets[candidate.id, default: 0] += 1 }
    return targets
  }

  private static func count(
    _ weights: [UInt32: UInt32], _ service: String
  ) throws(IntentError) -> Int {
    guard weights.count > 1, let least = weights.values.min() else { return 1 }
    let total = weights.values.reduce(UInt64(0)) { $0 + UInt64($1) }
    let shares = (total + UInt64(least) - 1) / UInt64(least)
    guard shares <= UInt64(maximumCount) else {
      throw IntentError(
        service, "its weights differ so much that an endpoint would get no flow; scale them down")
    }
    var count = 1
    while count < min(Int(shares) * slotsPerShare, maximumCount) { count *= 2 }
    return count
  }
}
