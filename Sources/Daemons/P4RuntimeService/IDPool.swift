/// Ids of a range, the lowest free one first as long as none came back.
struct IDPool: Sendable {
  enum Step: Sendable {
    case took(UInt32)
    case gaveBack(UInt32)
  }

  private var next: UInt32
  private let end: UInt32
  private var free: [UInt32] = []

  init(_ range: Range<UInt32>) {
    next = range.lowerBound
    end = range.upperBound
  }

  /// An id, or nil when all are in use.
  mutating func take() -> UInt32? {
    if let id = free.popLast() { return id }
    guard next < end else { return nil }
    defer { next += 1 }
    return next
  }

  mutating func giveBack(_ id: UInt32) { free.append(id) }

  mutating func undo(_ step: Step) {
    switch step {
    case .took(let id): free.append(id)
    case .gaveBack(let id):
      if let i = free.lastIndex(of: id) { free.remove(at: i) }
    }
  }
}
