import ChildProcess
import Core
import Dispatch
import Glibc

/// A command that starts an `infrap4d`, for a server that can be given one pipeline only.
///
/// Unchecked: one thread drives it.
final class LiveCommand: @unchecked Sendable {
  /// How long the server may take to end by itself.
  private static let patience = DispatchTimeInterval.seconds(30)

  private let command: String
  private var process: ChildProcess?

  /// - Parameter command: a line for the shell. It has to end in the server itself (`exec`).
  init(_ command: String) { self.command = command }

  deinit { stop() }

  /// Ends the server that it started, and starts another.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when the shell cannot be run.
  func restart() throws(DataplaneError) {
    stop()
    do {
      // What this program prints is for whoever called it.
      process = try ChildProcess(
        "/bin/sh", ["-c", "exec " + command], input: .null, output: .descriptor(STDERR_FILENO))
    } catch {
      throw DataplaneError(.unavailable, command, "cannot be started: \(error)")
    }
  }

  /// Why the server is no longer there, or nil.
  var failure: DataplaneError? {
    guard let ending = process?.ending else { return nil }
    let how =
      switch ending {
      case .exited(let status): "ended with status \(status)"
      case .signalled(let signal): "was ended by signal \(signal)"
      }
    return DataplaneError(.unavailable, command, "\(how); see what it printed")
  }

  func stop() {
    guard let process else { return }
    self.process = nil
    process.send(SIGTERM)
    guard process.wait(until: .now() + Self.patience) == nil else { return }
    process.send(SIGKILL)
    process.wait()
  }
}
