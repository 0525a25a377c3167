import P4RuntimeProtos
import Testing

@testable import Infrap4dDataplane

@Suite struct ElectionIDTests {
  private func id(_ high: UInt64, _ low: UInt64) -> P4_V1_Uint128 {
    .with {
      $0.high = high
      $0.low = low
    }
  }

  /// A controller that was primary with the highest lower half is outranked, too.
  @Test func nextCarries() {
    #expect(id(0, 1).next == id(0, 2))
    #expect(id(0, .max).next == id(1, 0))
    #expect(id(.max, .max).next == id(.max, .max))
  }

  @Test func bothHalvesCount() {
    #expect(P4_V1_Uint128.higher(id(1, 0), id(0, .max)) == id(1, 0))
    #expect(P4_V1_Uint128.higher(id(0, 1), id(0, 2)) == id(0, 2))
  }
}
