import ChildProcess
import Foundation
import Synchronization

/// A program that runs beside a test, and is killed with its last reference.
public final class RunningProgram: Sendable {
  private let process: ChildProcess
  private let lines: AsyncThrowingStream<String, any Error>

  public init(_ command: [String]) throws {
    Leftovers.watch()
    let pipe = Pipe()
    let output = ChildProcess.Stream.descriptor(pipe.fileHandleForWriting.fileDescriptor)
    // Tests of programs that take signals ignore them in this process.
    process = try ChildProcess(
      "/usr/bin/env", ["--default-signal=INT,TERM"] + command, input: .null, output: output,
      error: output)
    try pipe.fileHandleForWriting.close()
    let (lines, feed) = AsyncThrowingStream<String, any Error>.makeStream()
    self.lines = lines
    let handle = pipe.fileHandleForReading
    Thread.detachNewThread {
      var rest = Data()
      while true {
        let data = handle.availableData
        guard !data.isEmpty else { break }
        rest.append(data)
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          feed.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
          rest = rest[(end + 1)...]
        }
      }
      if !rest.isEmpty { feed.yield(String(decoding: rest, as: UTF8.self)) }
      feed.finish()
    }
  }

  deinit { end() }

  public var identifier: Int32 { process.identifier }

  /// Reads what it prints until a line contains the text.
  ///
  /// - Parameter limit: enough for a machine that is busy with other things.
  /// - Returns: that line.
  /// - Throws: ``Ended`` when the output ends before, ``Silent`` when it does not come in time.
  @discardableResult
  public func wait(for text: String, within limit: Duration = .seconds(120)) async throws -> String
  {
    let lines = lines
    let seen = Seen()
    return try await withThrowingTaskGroup(of: String.self) { group in
      group.addTask {
        for try await line in lines {
          if line.contains(text) { return line }
          seen.lines.withLock { $0.append(line) }
        }
        try Task.checkCancellation()
        throw Ended(wanted: text, output: seen.lines.withLock(\.self))
      }
      group.addTask {
        try await Task.sleep(for: limit)
        throw Silent(wanted: text, limit: limit, output: seen.lines.withLock(\.self))
      }
      defer { group.cancelAll() }
      guard let line = try await group.next() else { throw CancellationError() }
      return line
    }
  }

  private final class Seen: Sendable { let lines = Mutex<[String]>([]) }

  /// The lines that were not read yet, when it has ended.
  public func rest() async throws -> [String] {
    var rest: [String] = []
    for try await line in lines { rest.append(line) }
    return rest
  }

  public var isRunning: Bool { process.isRunning }

  public func interrupt() { process.send(SIGINT) }

  public func kill() { process.send(SIGKILL) }

  /// SIGKILL, and the end of it: whatever it used is free then.
  public func end() {
    kill()
    process.wait()
  }

  public struct Silent: Error, CustomStringConvertible {
    public var wanted: String
    public var limit: Duration
    public var output: [String]
    public var description: String {
      "no \"\(wanted)\" within \(limit): \(output.joined(separator: "\n"))"
    }
  }

  public struct Ended: Error, CustomStringConvertible {
    public var wanted: String
    public var output: [String]
    public var description: String {
      "ended without \"\(wanted)\": \(output.joined(separator: "\n"))"
    }
  }
}
