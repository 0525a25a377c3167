import Foundation
import NodeTesting
import Synchronization

/// An infrap4d in the namespace of a node of a test.
final class ForwardingServer: Sendable {
  let socket: String
  private let command: [String]
  private let state: String
  private let program = Mutex<RunningProgram?>(nil)

  init(namespace: NetworkNamespace, folder: String, maxPorts: Int) {
    socket = folder + "/infrap4d.sock"
    state = folder + "/state"
    command = [
      "nsenter", "--net=/run/netns/\(namespace.name)", Self.path, "--dataplane", "model",
      "--listen", "unix:" + socket, "--state", state, "--certs", folder + "/certs",
      "--max-ports", "\(maxPorts)", "--metrics-address", "",
    ]
  }

  /// The program that was built with these tests.
  private static let path: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("infrap4d").path
  }()

  func start() async throws {
    let started = try RunningProgram(command)
    try await started.wait(for: "listening")
    program.withLock { $0 = started }
  }

  /// SIGKILL, and waits for the end.
  func kill() async throws {
    let running = program.withLock { program in
      defer { program = nil }
      return program
    }
    running?.kill()
    _ = try await running?.rest()
  }

  /// Removes what a killed one kept.
  func forget() throws { try FileManager.default.removeItem(atPath: state) }
}
