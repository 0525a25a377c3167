/// An entry that the pipeline learned by itself.
public struct LearnedEntry: Hashable, Sendable {
  public var table: String
  /// One value a key field, host order, in the contract's order.
  public var key: [UInt64]
  public var action: String
  public var arguments: [UInt64]
  /// The expire-time profile it was last armed with.
  public var timer: UInt8
  /// The cycle count from which it is dead: a multiple of 2³².
  public var expiry: UInt64

  public init(
    table: String, key: [UInt64], action: String, arguments: [UInt64], timer: UInt8, expiry: UInt64
  ) {
    self.table = table
    self.key = key
    self.action = action
    self.arguments = arguments
    self.timer = timer
    self.expiry = expiry
  }
}

extension LearnedEntry: Comparable {
  public static func < (a: LearnedEntry, b: LearnedEntry) -> Bool {
    if a.table != b.table { return a.table < b.table }
    return a.key.lexicographicallyPrecedes(b.key)
  }
}
