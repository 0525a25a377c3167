import ChildProcess
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
  final class Running: Sendable {
    private let process: ChildProcess
    private let folder: String

    init(_ arguments: [String], input: Data? = nil) throws {
      let folder = NSTemporaryDirectory() + "k8sdp-\(UUID().uuidString.prefix(8))"
      self.folder = folder
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      func file(_ name: String, _ content: Data = Data()) throws -> FileHandle {
        let url = URL(fileURLWithPath: "\(folder)/\(name)")
        try content.write(to: url)
        return try FileHandle(forUpdating: url)
      }
      let (stdout, stderr) = (try file("out"), try file("error"))
      let stdin = try input.map { try file("in", $0) }
      process = try ChildProcess(
        K8sDPTool.program, arguments,
        input: stdin.map { .descriptor($0.fileDescriptor) } ?? .null,
        output: .descriptor(stdout.fileDescriptor), error: .descriptor(stderr.fileDescriptor))
    }

    deinit {
      kill(SIGKILL)
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

    func kill(_ signal: Int32) { process.send(signal) }

    func end() async throws -> Outcome {
      while true {
        if let ending = process.ending {
          return Outcome(status: ending.status, out: out, error: error)
        }
        try await Task.sleep(for: .milliseconds(5))
      }
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
