import P4RuntimeProtos

/// What decides who is primary: 128 bits, the higher one wins.
public struct ElectionID: Hashable, Comparable, Sendable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64 = 0, low: UInt64) {
    self.high = high
    self.low = low
  }

  init(_ message: P4_V1_Uint128) {
    self.init(high: message.high, low: message.low)
  }

  public static func < (a: ElectionID, b: ElectionID) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }

  var message: P4_V1_Uint128 {
    .with {
      $0.high = high
      $0.low = low
    }
  }
}
