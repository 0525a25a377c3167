import ChildProcess
import Foundation

/// A program of the system, run for a test.
public enum Command {
  /// How a program ended, with all it printed.
  public struct Outcome: Sendable, CustomStringConvertible {
    public var status: Int32
    public var output: String
    public var description: String { "exit \(status): \(output)" }

    public init(status: Int32, output: String) {
      self.status = status
      self.output = output
    }
  }

  /// A program that a test cannot go on without failed.
  public struct Failed: Error, CustomStringConvertible {
    public var command: [String]
    public var outcome: Outcome
    public var description: String { "\(command.joined(separator: " ")): \(outcome)" }

    public init(command: [String], outcome: Outcome) {
      self.command = command
      self.outcome = outcome
    }
  }

  /// Runs to the end, without holding a thread of the concurrency pool meanwhile.
  ///
  /// - Parameter environment: instead of this process's.
  public static func run(
    _ command: [String], input: String = "", environment: [String: String]? = nil
  ) async throws -> Outcome {
    try await blocking { try runNow(command, input: input, environment: environment) }
  }

  /// Runs to the end, and throws unless that is 0.
  @discardableResult
  public static func check(_ command: String..., input: String = "") async throws -> String {
    let outcome = try await run(command, input: input)
    guard outcome.status == 0 else { throw Failed(command: command, outcome: outcome) }
    return outcome.output
  }

  /// Runs to the end on this thread.
  ///
  /// - Parameters:
  ///   - folder: where; nil is this process's.
  ///   - environment: instead of this process's.
  public static func runNow(
    _ command: [String], input: String = "", folder: String? = nil,
    environment: [String: String]? = nil
  ) throws -> Outcome {
    let (pipe, stdin) = (Pipe(), Pipe())
    let output = pipe.fileHandleForWriting.fileDescriptor
    // Whatever is no path is looked for in PATH.
    let path = command.first.flatMap { $0.hasPrefix("/") ? $0 : nil }
    let process = try ChildProcess(
      path ?? "/usr/bin/env", path == nil ? command : Array(command.dropFirst()),
      environment: environment, folder: folder,
      input: .descriptor(stdin.fileHandleForReading.fileDescriptor), output: .descriptor(output),
      error: .descriptor(output))
    try stdin.fileHandleForReading.close()
    try pipe.fileHandleForWriting.close()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let printed = pipe.fileHandleForReading.readDataToEndOfFile()
    return Outcome(
      status: process.wait().status, output: String(decoding: printed, as: UTF8.self))
  }
}
