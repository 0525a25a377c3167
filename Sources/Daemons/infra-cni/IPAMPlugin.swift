import ChildProcess
import Foundation

/// The plugin that gives addresses: another program in CNI_PATH, asked with the same
/// environment and configuration (section 4 of the specification).
struct IPAMPlugin: Sendable {
  let path: String
  let configuration: NetworkConfiguration

  /// - Returns: nil when the configuration names none.
  init?(_ configuration: NetworkConfiguration, _ invocation: Invocation) throws(CNIError) {
    guard let type = configuration.ipam?.type, !type.isEmpty else { return nil }
    guard !type.contains("/"), type != ".", type != ".." else {
      throw CNIError(.invalidConfiguration, "ipam.type \(type) is no name of a plugin")
    }
    let found = invocation.folders.map { "\($0)/\(type)" }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let found else {
      throw CNIError(
        .invalidConfiguration, "the IPAM plugin \(type) is not in CNI_PATH",
        "looked in \(invocation.folders.joined(separator: ", "))")
    }
    path = found
    self.configuration = configuration
  }

  /// An address for the container.
  func add(_ invocation: Invocation) async throws -> CNIResult {
    let output = try await run(invocation)
    do {
      return try JSONDecoder().decode(CNIResult.self, from: output)
    } catch let error as DecodingError {
      throw CNIError(.delegate, "\(path) answered no result", error.reason)
    }
  }

  /// DEL, CHECK, GC or STATUS, which answer nothing.
  func call(_ invocation: Invocation) async throws { _ = try await run(invocation) }

  /// CHECK. Some look for what they gave, and the pod has another gateway and another prefix.
  ///
  /// - Parameter leased: what it answered to ADD; nil when that is not known.
  func check(_ invocation: Invocation, against leased: CNIResult?) async throws {
    _ = try await run(invocation, leased.map { try configuration.bytes(after: $0) })
  }

  /// - Parameter input: instead of the configuration as it came.
  private func run(_ invocation: Invocation, _ input: Data? = nil) async throws -> Data {
    let (path, input) = (path, input ?? configuration.bytes)
    var environment = ProcessInfo.processInfo.environment
    environment["CNI_COMMAND"] = invocation.command.rawValue
    environment["CNI_CONTAINERID"] = invocation.containerID
    environment["CNI_NETNS"] = invocation.netns
    environment["CNI_IFNAME"] = invocation.interface
    let outcome = try await Self.execute(path, environment, input)
    guard outcome.status == 0 else {
      // What it says goes to the runtime as it is.
      if let error = try? JSONDecoder().decode(CNIError.self, from: outcome.output) { throw error }
      throw CNIError(.delegate, "\(path) ended with \(outcome.status)")
    }
    return outcome.output
  }

  private static func execute(
    _ path: String, _ environment: [String: String], _ input: Data
  ) async throws -> (status: Int32, output: Data) {
    let (stdin, stdout) = (Pipe(), Pipe())
    let process: ChildProcess
    do {
      process = try ChildProcess(
        path, environment: environment,
        input: .descriptor(stdin.fileHandleForReading.fileDescriptor),
        output: .descriptor(stdout.fileHandleForWriting.fileDescriptor))
    } catch {
      throw CNIError(.ioFailure, "\(path) cannot be run", "\(error)")
    }
    try stdin.fileHandleForReading.close()
    try stdout.fileHandleForWriting.close()
    // A plugin that answers before it has read all must not stop us, nor end us.
    let (writing, reading) = (stdin.fileHandleForWriting, stdout.fileHandleForReading)
    Thread.detachNewThread {
      try? writing.write(contentsOf: input)
      try? writing.close()
    }
    let output = reading.readDataToEndOfFile()
    return (process.wait().status, output)
  }
}
