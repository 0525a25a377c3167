import Foundation
import NodeTesting

/// An etcd of a test.
final class Etcd: Sendable {
  let url: String
  private let files: TemporaryFolder
  private let program: RunningProgram
  private let prefix: [String]

  var isRunning: Bool { program.isRunning }
  var log: String { (try? String(contentsOfFile: files.path + "/log", encoding: .utf8)) ?? "" }

  /// - Parameter namespace: path of the network namespace; nil is that of the tests.
  init(_ program: String, in namespace: String?) throws {
    files = try TemporaryFolder("etcd")
    // Both at a time, so that they are not one.
    let (clients, peers) = try APIPlace(in: namespace).twoFreePorts()
    url = "http://127.0.0.1:\(clients)"
    let peer = "http://127.0.0.1:\(peers)"
    prefix = namespace.map { ["nsenter", "--net=\($0)"] } ?? []
    self.program = try RunningProgram(
      prefix + [
        "sh", "-c", "exec \"$@\" > \(files.path)/log 2>&1", "sh", program,
        "--data-dir=\(files.path)/data", "--listen-client-urls=\(url)",
        "--advertise-client-urls=\(url)", "--listen-peer-urls=\(peer)",
        "--initial-advertise-peer-urls=\(peer)", "--initial-cluster=default=\(peer)",
      ])
  }

  /// Forgets all that was before, as kube-apiserver has it done every five minutes.
  func compact() async throws {
    let revision = try await ask("maintenance/status", "{}").firstMatch(of: /"revision":"(\d+)"/)
    guard let revision else { throw Unexpected(text: "etcd does not tell its revision") }
    _ = try await ask("kv/compaction", "{\"revision\":\"\(revision.1)\",\"physical\":true}")
  }

  private func ask(_ call: String, _ body: String) async throws -> String {
    let command = prefix + ["curl", "-sS", "--fail", "\(url)/v3/\(call)", "--data-binary", "@-"]
    let outcome = try await Command.run(command, input: body)
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output
  }
}

/// What cannot be when everything works.
struct Unexpected: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}
