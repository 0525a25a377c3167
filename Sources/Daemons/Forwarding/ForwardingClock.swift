import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The time that frames are processed at: since the forwarder was made, and never back.
struct ForwardingClock: Sendable {
  private let start = Self.monotonic()

  var now: Timestamp { Timestamp(nanoseconds: Self.monotonic() - start) }

  /// Nanoseconds of the kernel's monotonic clock.
  static func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
  }
}
