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
    let seen = Seen()
    guard let line = try await read(until: text, limit, seen) else {
      throw Ended(wanted: text, output: seen.lines.withLock(\.self))
    }
    return line
  }

  /// The lines that were not read yet, when it has ended.
  ///
  /// - Throws: ``Silent`` when it does not end in time.
  public func rest(within limit: Duration = .seconds(120)) async throws -> [String] {
    let seen = Seen()
    _ = try await read(until: nil, limit, seen)
    return seen.lines.withLock(\.self)
  }

  private final class Seen: Sendable { let lines = Mutex<[String]>([]) }

  /// - Returns: the line with the text; nil when the output ends before.
  private func read(
    until text: String?, _ limit: Duration, _ seen: Seen
  ) async throws -> String? {
    let lines = lines
    return try await withThrowingTaskGroup(of: String?.self) { group in
      group.addTask {
        for try await line in lines {
          if let text, line.contains(text) { return line }
          seen.lines.withLock { $0.append(line) }
        }
        try Task.checkCancellation()
        return nil
      }
      group.addTask {
        try await Task.sleep(for: limit)
        throw Silent(wanted: text ?? "its end", limit: limit, output: seen.lines.withLock(\.self))
      }
      defer { group.cancelAll() }
      guard let line = try await group.next() else { throw CancellationError() }
      return line
    }
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
      "no \(wanted) within \(limit): \(output.joined(separator: "\n"))"
    }
  }

  public struct Ended: Error, CustomStringConvertible {
    public var wanted: String
    public var output: [String]
    public var description: String {
      "ended without \(wanted): \(output.joined(separator: "\n"))"
    }
  }
}
