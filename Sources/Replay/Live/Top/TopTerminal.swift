import Foundation
import Replay

#if canImport(Glibc)
  import Glibc
#endif

/// A terminal on which a screen is redrawn in place; q ends.
public final class TopTerminal: Sendable {
  private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
  private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

  private let saved: termios?

  /// Takes the terminal, until ``close()``.
  public init(_ interruption: Interruption) {
    var settings = termios()
    if isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 {
      saved = settings
      // Keys come one by one and are not shown; Ctrl-C is a signal as ever.
      settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
      tcsetattr(STDIN_FILENO, TCSANOW, &settings)
      Self.watchKeys(interruption)
    } else {
      saved = nil
    }
    Self.put(Self.enter)
  }

  public func close() {
    Self.put(Self.leave)
    guard var saved else { return }
    tcsetattr(STDIN_FILENO, TCSANOW, &saved)
  }

  /// Whether standard output is one.
  public static var isThere: Bool { isatty(STDOUT_FILENO) == 1 }

  /// - Returns: columns and rows.
  public static var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  public func show(_ lines: [String]) {
    // Each line is cleared behind its end, and all below the last one: nothing flickers.
    Self.put("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
  }

  private static func put(_ text: String) {
    let output = LineOutput()
    output.add(raw: text)
    _ = output.flush()
  }

  private static func watchKeys(_ interruption: Interruption) {
    Thread.detachNewThread {
      var key: UInt8 = 0
      while read(STDIN_FILENO, &key, 1) == 1 {
        if key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") { interruption.end() }
      }
    }
  }
}
