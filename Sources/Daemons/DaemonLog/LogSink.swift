import Foundation
import Glibc
import Logging
import Synchronization

/// Where lines go: standard error, and a file. Neither ever stops the program: what cannot be
/// written is counted, and said where it can be.
final class LogSink: Sendable {
  private struct State: ~Copyable {
    var program = ""
    var format = DaemonLog.Format.text
    var isJournal = false
    var file: LogFile?
    /// Since the file was last written.
    var lost = 0
    var trouble: LogFile.Failure?
  }

  private let state = Mutex(State())

  var format: DaemonLog.Format {
    get { state.withLock { $0.format } }
    set { state.withLock { $0.format = newValue } }
  }

  func use(_ options: DaemonLog.Options, program: String) {
    state.withLock {
      $0.program = program
      $0.format = options.format
      $0.isJournal = Journal.isStandardError(ProcessInfo.processInfo.environment)
      $0.file = options.file.map {
        LogFile($0, maximum: options.fileSize << 20, kept: options.files)
      }
    }
  }

  func write(
    _ level: Logger.Level, module: String, _ message: String, _ metadata: Logger.Metadata
  ) {
    state.withLock { state in
      func bytes(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> [UInt8] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return LogLine(
          now, level, program: state.program, module: module, message, metadata
        ).bytes(state.format)
      }
      func show(_ level: Logger.Level, _ line: [UInt8]) {
        Self.show(state.isJournal ? Journal.prefix(level) + line : line)
      }
      let line = bytes(level, message, metadata)
      guard state.file != nil else { return show(level, line) }
      // What is said of the file is made before the file is touched.
      let gap =
        state.lost == 0
        ? []
        : bytes(
          .warning, "lines are missing here",
          ["lines": "\(state.lost)", "reason": "\(state.trouble.map { "\($0)" } ?? "")"])
      do throws(LogFile.Failure) {
        if !gap.isEmpty {
          try state.file?.append(gap)
          state.lost = 0
        }
        try state.file?.append(line)
        if state.trouble != nil {
          show(.notice, bytes(.notice, "the log file is written again", [:]))
        }
        state.trouble = nil
        if state.file?.isStandardError != true { show(level, line) }
      } catch {
        // Once, however long it lasts.
        if state.trouble != error {
          show(
            .warning, bytes(.warning, "the log file is not written", ["reason": "\(error)"]))
        }
        show(level, line)
        state.lost += 1
        state.trouble = error
      }
    }
  }

  /// On standard error; nobody can be told that this failed.
  private static func show(_ line: [UInt8]) {
    var done = 0
    while done < line.count {
      let count = line[done...].withUnsafeBytes {
        Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      done += count
    }
  }
}
