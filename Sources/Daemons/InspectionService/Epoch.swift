import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the clock on the wall showed at time zero of the forwarding thread. Taken once for a
/// capture, so that times of its frames are as far apart as they were.
struct Epoch: Sendable {
  private let nanoseconds: UInt64

  init(_ now: Timestamp) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    nanoseconds =
      UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec) &- now.nanoseconds
  }

  /// Nanoseconds since 1970.
  func date(_ time: Timestamp) -> UInt64 { nanoseconds &+ time.nanoseconds }
}
