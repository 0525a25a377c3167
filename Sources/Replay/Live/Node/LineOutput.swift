import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Lines on standard output that are there when they are due, however it is piped.
///
/// Unchecked: one writes.
public final class LineOutput: @unchecked Sendable {
  private static let flushAt = 1 << 16
  private static let closed = Mutex(false)

  /// Whoever read standard output has gone.
  public static var isClosed: Bool {
    var poll = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    guard Glibc.poll(&poll, 1, 0) == 1 else { return closed.withLock { $0 } }
    return poll.revents & Int16(POLLERR) != 0
  }

  private var buffer: [UInt8] = []

  public init() {}

  public func add(_ line: String) {
    add(raw: line)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.flushAt { _ = flush() }
  }

  /// Without an end of line.
  public func add(raw text: String) { buffer += text.utf8 }

  /// - Returns: false when nobody reads any more.
  public func flush() -> Bool {
    var start = 0
    while start < buffer.count {
      let written = buffer[start...].withUnsafeBytes {
        write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        Self.closed.withLock { $0 = true }
        buffer.removeAll()
        return false
      }
      start += written
    }
    buffer.removeAll(keepingCapacity: true)
    return !Self.closed.withLock { $0 }
  }
}
