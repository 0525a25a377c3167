import Foundation
import Replay

/// Standard output, standard error and the line of progress on it.
enum Terminal {
  /// This program.
  static var program: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }

  static func error(_ message: String) {
    try? FileHandle.standardError.write(contentsOf: Data("k8sdp: \(message)\n".utf8))
  }

  /// Prints without adding a newline.
  static func out(_ text: String) { print(text, terminator: "") }

  /// Shows frames done so far when standard error is a terminal, else nothing.
  static var progress: ((Int) -> Void)? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    return { frames in
      try? FileHandle.standardError.write(contentsOf: Data("\r\(frames) frames\u{1B}[K".utf8))
    }
  }

  /// Shows what is being done when standard error is a terminal.
  static func step(_ what: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    try? FileHandle.standardError.write(contentsOf: Data("\r\(what)\u{1B}[K".utf8))
  }

  /// Clears the line of progress.
  static func endProgress() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8))
  }
}
