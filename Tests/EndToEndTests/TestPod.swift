import Foundation
import NodeTesting
import Synchronization

/// A pod of a test: a namespace that the CNI plugin has connected.
final class TestPod: Sendable {
  let namespace: NetworkNamespace
  let container: String
  let ip: String
  private let node: ClusterNode
  private let isConnected = Mutex(true)

  init(on node: ClusterNode) async throws {
    self.node = node
    namespace = try await NetworkNamespace("pod")
    container = namespace.name
    let outcome = try await node.cni("ADD", container, netns: "/run/netns/\(container)")
    struct Result: Decodable {
      struct IP: Decodable { var address: String }
      var ips: [IP]
    }
    guard outcome.status == 0,
      let result = try? JSONDecoder().decode(Result.self, from: Data(outcome.output.utf8)),
      let first = result.ips.first?.address.split(separator: "/").first
    else { throw Refused(outcome: outcome) }
    ip = String(first)
  }

  struct Refused: Error, CustomStringConvertible {
    var outcome: Command.Outcome
    var description: String { "the CNI plugin: \(outcome)" }
  }

  /// The CNI plugin's DEL.
  func disconnect() async throws {
    let outcome = try await node.cni("DEL", container, netns: "/run/netns/\(container)")
    guard outcome.status == 0 else { throw Refused(outcome: outcome) }
  }

  /// Runs a program in the pod to the end.
  func run(_ command: String...) async throws -> Command.Outcome {
    try await Command.run(namespace.command(command))
  }

  /// Runs a program in the pod to the end; it must end with 0.
  @discardableResult
  func exec(_ command: String...) async throws -> String {
    let outcome = try await Command.run(namespace.command(command))
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output
  }

  /// Starts a program in the pod.
  func start(_ command: String...) throws -> RunningProgram {
    try RunningProgram(namespace.command(command))
  }
}
