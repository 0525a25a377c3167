import ChildProcess
import Foundation
import NodeTesting
import Synchronization
import Testing

/// An `infrap4d` of a test: a process in a folder of its own.
final class ServerProcess: Sendable {
  private let temporary: TemporaryFolder
  var folder: String { temporary.path }
  private let process = Mutex<ChildProcess?>(nil)
  /// Where it runs; nil is the namespace of the tests.
  private let namespace: NetworkNamespace?
  var identifier: pid_t { process.withLock { $0?.identifier ?? 0 } }
  var socket: String { folder + "/infrap4d.sock" }
  /// Where its metrics are, unless the arguments say otherwise.
  var metricsSocket: String { folder + "/metrics.sock" }
  var certificates: String { folder + "/certs" }
  var state: String { folder + "/state" }
  var logFile: String { folder + "/log" }

  /// The program that was built with these tests.
  static let program: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("infrap4d").path
  }()

  init(in namespace: NetworkNamespace? = nil) throws {
    self.namespace = namespace
    temporary = try TemporaryFolder("infrap4d")
  }

  deinit {
    guard let process = process.withLock({ $0 }) else { return }
    process.send(SIGKILL)
    process.wait()
  }

  /// Starts the server and waits until it listens everywhere.
  ///
  /// - Returns: the TCP port it has, if it listens at one.
  @discardableResult
  func start(_ arguments: [String], listen: [String]? = nil) async throws -> Int? {
    let listen = listen ?? ["unix:" + socket]
    let process = try launch(
      arguments + listen.flatMap { ["--listen", $0] }
        + ["--state", state, "--certs", certificates])
    try await poll("it listens") {
      if log.components(separatedBy: "listening").count > listen.count { return () }
      guard process.isRunning else { throw NotReached(what: "it listens", log: log) }
      return nil
    }
    return log.firstMatch(of: /\](?:127\.0\.0\.1|::1):([0-9]+)/).flatMap { Int($0.1) }
  }

  private func launch(_ arguments: [String]) throws -> ChildProcess {
    _ = FileManager.default.createFile(atPath: logFile, contents: nil)
    // Servers of tests that run at the same time would want one port.
    let metrics =
      arguments.contains("--metrics-address")
      ? [] : ["--metrics-address", "unix:" + metricsSocket]
    let command = [Self.program] + arguments + metrics
    let log = try FileHandle(forWritingTo: URL(fileURLWithPath: logFile))
    try log.seekToEnd()
    let process = try ChildProcess(
      "/usr/bin/env", namespace?.command(command) ?? command,
      output: .descriptor(log.fileDescriptor), error: .descriptor(log.fileDescriptor))
    self.process.withLock { $0 = process }
    return process
  }

  /// Runs to the end.
  func run(_ arguments: [String]) async throws -> (code: Int32, log: String) {
    let process = try launch(arguments)
    return (try await ending(of: process), log)
  }

  var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

  /// SIGKILL.
  func killHard() async throws { _ = try await signal(SIGKILL) }

  /// SIGTERM.
  func stop() async throws -> Int32 { try await signal(SIGTERM) }

  private func signal(_ number: Int32) async throws -> Int32 {
    let process = try #require(self.process.withLock { $0 })
    process.send(number)
    return try await ending(of: process)
  }

  private func ending(of process: ChildProcess) async throws -> Int32 {
    try await poll("its end") { process.ending?.status }
  }

  /// Enough for a machine that is busy with other things.
  private static let patience = Duration.seconds(120)

  private func poll<Result>(
    _ what: String, _ result: () throws -> Result?
  ) async throws -> Result {
    let end = ContinuousClock.now + Self.patience
    while ContinuousClock.now < end {
      if let result = try result() { return result }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw NotReached(what: what, log: log)
  }

  struct NotReached: Error, CustomStringConvertible {
    var what: String
    var log: String
    var description: String { "never: \(what)\n\(log)" }
  }
}
