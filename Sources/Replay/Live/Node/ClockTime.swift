#if canImport(Glibc)
  import Glibc
#endif

/// A time as tcpdump writes it: of the day, in the time zone of the reader, with microseconds.
struct ClockTime: CustomStringConvertible {
  /// Nanoseconds since 1970.
  private let nanoseconds: UInt64

  init(_ nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  var description: String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let micros = nanoseconds % 1_000_000_000 / 1000
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Self.padded(Int($0), 2) }
      .joined(separator: ":") + "." + Self.padded(Int(micros), 6)
  }

  /// Seconds since 1970 with nine decimals.
  var seconds: String {
    "\(nanoseconds / 1_000_000_000)." + Self.padded(Int(nanoseconds % 1_000_000_000), 9)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
