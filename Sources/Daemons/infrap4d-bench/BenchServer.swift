import ArgumentParser
import ChildProcess
import Foundation

/// An `infrap4d` for a measurement, in a folder of its own.
final class BenchServer {
  let folder: String
  private let process: ChildProcess

  init(dataplane: String) throws {
    folder = NSTemporaryDirectory() + "infrap4d-bench-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let log = folder + "/log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    let here = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let error = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    do {
      process = try ChildProcess(
        here.deletingLastPathComponent().appendingPathComponent("infrap4d").path,
        [
          "--dataplane", dataplane, "--listen", "127.0.0.1:0", "--state", folder + "/state",
          "--certs", folder + "/certs",
        ], error: .descriptor(error.fileDescriptor))
    } catch {
      throw ValidationError("infrap4d is not beside this program; build it with it")
    }
  }

  /// Waits until it listens.
  func port() async throws -> Int {
    while true {
      let log = try String(contentsOfFile: folder + "/log", encoding: .utf8)
      if let found = log.range(of: #"\]127\.0\.0\.1:[0-9]+"#, options: .regularExpression),
        let port = Int(log[found].split(separator: ":")[1])
      {
        return port
      }
      guard process.isRunning else { throw ValidationError("infrap4d ended:\n\(log)") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  func stop() {
    process.send(SIGTERM)
    process.wait()
    try? FileManager.default.removeItem(atPath: folder)
  }
}
