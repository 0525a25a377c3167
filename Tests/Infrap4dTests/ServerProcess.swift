import Foundation
import Testing

/// An `infrap4d` of a test: a process in a folder of its own.
final class ServerProcess {
  let folder: String
  private(set) var process = Process()
  var socket: String { folder + "/infrap4d.sock" }
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

  init() throws {
    folder = NSTemporaryDirectory() + "infrap4d-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Starts the server and waits until it listens everywhere.
  ///
  /// - Returns: the TCP port it has, if it listens at one.
  @discardableResult
  func start(_ arguments: [String], listen: [String]? = nil) throws -> Int? {
    let listen = listen ?? ["unix:" + socket]
    try launch(
      arguments + listen.flatMap { ["--listen", $0] }
        + ["--state", state, "--certs", certificates])
    try wait("it listens") { log.components(separatedBy: "listening").count > listen.count }
    guard let range = log.range(of: #"\]127\.0\.0\.1:[0-9]+"#, options: .regularExpression) else {
      return nil
    }
    return Int(log[range].split(separator: ":")[1])
  }

  func launch(_ arguments: [String]) throws {
    _ = FileManager.default.createFile(atPath: logFile, contents: nil)
    process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = arguments
    process.standardError = FileHandle(forWritingAtPath: logFile)
    process.standardOutput = FileHandle(forWritingAtPath: logFile)
    try process.run()
  }

  /// Runs to the end.
  func run(_ arguments: [String]) throws -> (code: Int32, log: String) {
    try launch(arguments)
    process.waitUntilExit()
    return (process.terminationStatus, log)
  }

  var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

  func killHard() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Waits for a condition with a deadline that only a broken server reaches.
  private func wait(_ what: String, _ condition: () -> Bool) throws {
    let deadline = Date().addingTimeInterval(60)
    while !condition() {
      guard Date() < deadline, process.isRunning else {
        throw NotReached(what: what, log: log)
      }
      usleep(10_000)
    }
  }

  struct NotReached: Error, CustomStringConvertible {
    var what: String
    var log: String
    var description: String { "never: \(what)\n\(log)" }
  }
}
