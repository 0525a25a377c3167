import Glibc

/// What the kernel refused, and about which object.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As in `errno.h`.
  public var errno: Int32
  /// What was asked for, such as `rename link`.
  public var request: String
  /// What it was about, such as `P4TAP_2 in /run/netns/pod`.
  public var object: String
  /// The kernel's own words, which may be empty.
  public var detail: String

  public init(_ errno: Int32, _ request: String, _ object: String, detail: String = "") {
    self.errno = errno
    self.request = request
    self.object = object
    self.detail = detail
  }

  public var description: String {
    let reason = String(cString: strerror(errno))
    return "\(request) \(object): \(reason)" + (detail.isEmpty ? "" : " (\(detail))")
  }
}
