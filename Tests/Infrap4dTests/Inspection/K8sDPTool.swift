import Foundation
import NodeTesting
import Synchronization
import Testing

/// The program `k8sdp` that was built with these tests.
enum K8sDPTool {
  static let program = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("k8sdp").path

  /// How it ended, with what it printed on either stream.
  struct Outcome: Sendable, CustomStringConvertible {
    var status: Int32
    var out: String
    var error: String
    var description: String { "exit \(status)\n\(out)\n\(error)" }

    /// Lines of standard output.
    var lines: [String] { out.split(separator: "\n").map(String.init) }
  }

  /// Runs to the end.
  static func run(_ arguments: [String], input: Data? = nil) async throws -> Outcome {
    let running = try Running(arguments, input: input)
    return try await running.end()
  }

  static func run(_ arguments: String...) async throws -> Outcome { try await run(arguments) }

  /// One that runs beside a test, and is killed with its last reference.
  ///
  /// Unchecked: after the start, only the process's own thread-safe calls are used.
  final class Running: @unchecked Sendable {
    private let process = Process()
    private let folder: String

    init(_ arguments: [String], input: Data? = nil) throws {
      folder = NSTemporaryDirectory() + "k8sdp-\(UUID().uuidString.prefix(8))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in ["out", "error"] {
        _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil)
      }
      process.executableURL = URL(fileURLWithPath: K8sDPTool.program)
      process.arguments = arguments
      process.standardOutput = FileHandle(forWritingAtPath: folder + "/out")
      process.standardError = FileHandle(forWritingAtPath: folder + "/error")
      if let input {
        try input.write(to: URL(fileURLWithPath: folder + "/in"))
        process.standardInput = FileHandle(forReadingAtPath: folder + "/in")
      } else {
        process.standardInput = FileHandle.nullDevice
      }
      try process.run()
    }

    deinit {
      if process.isRunning { kill(SIGKILL) }
      try? FileManager.default.removeItem(atPath: folder)
    }

    var out: String { text("out") }
    var error: String { text("error") }

    private func text(_ name: String) -> String {
      (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
    }

    /// Waits until it has said this on standard error.
    func waitFor(_ text: String) async throws {
      while !error.contains(text) {
        guard process.isRunning else { throw Ended(outcome: try await end()) }
        try await Task.sleep(for: .milliseconds(5))
      }
    }

    /// Waits until standard output is so.
    func wait(_ condition: (String) -> Bool) async throws {
      while !condition(out) {
        guard process.isRunning else { throw Ended(outcome: try await end()) }
        try await Task.sleep(for: .milliseconds(5))
      }
    }

    func kill(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

    func end() async throws -> Outcome {
      while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
      return Outcome(status: process.terminationStatus, out: out, error: error)
    }
  }

  struct Ended: Error, CustomStringConvertible {
    var outcome: Outcome
    var description: String { "k8sdp ended: \(outcome)" }
  }
}

extension ServerProcess {
  /// How `--from` names it.
  var address: String { "infrap4d:unix:\(socket)" }
}
