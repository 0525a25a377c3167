import P4RuntimeProtos

/// Election ids have 128 bits (P4Runtime 1.4, 5.3).
extension P4_V1_Uint128 {
  /// The one that outranks this one; the highest one is outranked by none.
  var next: P4_V1_Uint128 {
    let (low, carry) = self.low.addingReportingOverflow(1)
    let (high, isBeyond) = self.high.addingReportingOverflow(carry ? 1 : 0)
    return isBeyond
      ? self
      : .with {
        $0.high = high
        $0.low = low
      }
  }

  static func higher(_ a: P4_V1_Uint128, _ b: P4_V1_Uint128) -> P4_V1_Uint128 {
    (a.high, a.low) < (b.high, b.low) ? b : a
  }
}
