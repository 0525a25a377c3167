import Core
import Dispatch
import Foundation

/// A command that starts an `infrap4d`, for a server that can be given one pipeline only.
///
/// Unchecked: one thread drives it.
final class LiveCommand: @unchecked Sendable {
  /// How long the server may take to end by itself.
  private static let patience = DispatchTimeInterval.seconds(30)

  private let command: String
  private var process: Process?
  private var ended = DispatchSemaphore(value: 0)

  /// - Parameter command: a line for the shell. It has to end in the server itself (`exec`).
  init(_ command: String) { self.command = command }

  deinit { stop() }

  /// Ends the server that it started, and starts another.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when the shell cannot be run.
  func restart() throws(DataplaneError) {
    stop()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "exec " + command]
    process.standardInput = FileHandle.nullDevice
    // What this program prints is for whoever called it.
    process.standardOutput = FileHandle.standardError
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do { try process.run() } catch {
      throw DataplaneError(.unavailable, command, "cannot be started: \(error)")
    }
    (self.process, self.ended) = (process, ended)
  }

  /// Why the server is no longer there, or nil.
  var failure: DataplaneError? {
    guard let process, !process.isRunning else { return nil }
    let how =
      process.terminationReason == .exit
      ? "ended with status \(process.terminationStatus)"
      : "was ended by signal \(process.terminationStatus)"
    return DataplaneError(.unavailable, command, "\(how); see what it printed")
  }

  func stop() {
    guard let process else { return }
    self.process = nil
    process.terminate()
    guard ended.wait(timeout: .now() + Self.patience) == .timedOut else { return }
    kill(process.processIdentifier, SIGKILL)
    ended.wait()
  }
}
