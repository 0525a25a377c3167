import Core
import Testing

@Suite struct TimestampTests {
  @Test func order() {
    let (zero, next) = (Timestamp.zero, Timestamp(nanoseconds: 1))
    #expect(zero.nanoseconds == 0)
    #expect(zero < next)
    #expect(!(next < zero))
    #expect(!(zero < zero))
  }
}
