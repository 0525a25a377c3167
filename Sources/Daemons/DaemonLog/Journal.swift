import Glibc
import Logging

/// systemd's journal at the other end of standard error: it takes a line's level from a prefix
/// (sd-daemon(3)), so that `journalctl -p warning` finds it.
enum Journal {
  /// Whether standard error is its stream, which systemd names by device and inode
  /// (`JOURNAL_STREAM`, systemd.exec(5)).
  static func isStandardError(_ environment: [String: String]) -> Bool {
    var status = stat()
    return fstat(STDERR_FILENO, &status) == 0
      && environment["JOURNAL_STREAM"] == "\(status.st_dev):\(status.st_ino)"
  }

  /// `<4>` for a warning: priorities of syslog (RFC 5424, table 2).
  static func prefix(_ level: Logger.Level) -> [UInt8] {
    let priority =
      switch level {
      case .critical: 2
      case .error: 3
      case .warning: 4
      case .notice: 5
      case .info: 6
      case .debug, .trace: 7
      }
    return Array("<\(priority)>".utf8)
  }
}
