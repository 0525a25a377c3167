/// One frame of a capture file.
public struct CapturedFrame: Hashable, Sendable {
  /// Its place in the file, from 1, as Wireshark numbers it.
  public var number: Int
  /// Nanoseconds since 1970-01-01 00:00 UTC.
  public var nanoseconds: UInt64
  /// The Ethernet frame, whole, without frame check sequence.
  public var bytes: [UInt8]

  public init(number: Int, nanoseconds: UInt64, bytes: [UInt8]) {
    self.number = number
    self.nanoseconds = nanoseconds
    self.bytes = bytes
  }
}
