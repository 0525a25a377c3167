import Foundation
import NodeTesting
import Synchronization

/// A pod of a test: a namespace that the CNI plugin has connected.
public final class TestPod: Sendable {
  public let namespace: NetworkNamespace
  public let container: String
  public let ip: String
  private let node: ClusterNode
  private let isConnected = Mutex(true)

  /// - Parameter name: what the kubelet says its name is.
  public init(on node: ClusterNode, named name: String = "pod") async throws {
    self.node = node
    namespace = try await NetworkNamespace("pod")
    container = namespace.name
    let start = ContinuousClock.now
    let outcome = try await node.cni(
      "ADD", container, netns: "/run/netns/\(container)",
      environment: [
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=\(name)"
      ])
    struct Result: Decodable {
      struct IP: Decodable { var address: String }
      var ips: [IP]
    }
    guard outcome.status == 0,
      let result = try? JSONDecoder().decode(Result.self, from: Data(outcome.output.utf8)),
      let first = result.ips.first?.address.split(separator: "/").first
    else { throw Refused(outcome: outcome) }
    ip = String(first)
    node.story.tell("pod \(ip) joins, within \(Story.milliseconds(since: start))")
  }

  public struct Refused: Error, CustomStringConvertible {
    public var outcome: Command.Outcome
    public var description: String { "the CNI plugin: \(outcome)" }
  }

  /// The CNI plugin's DEL.
  public func disconnect() async throws {
    let outcome = try await node.cni("DEL", container, netns: "/run/netns/\(container)")
    guard outcome.status == 0 else { throw Refused(outcome: outcome) }
    node.story.tell("pod \(ip) leaves")
  }

  /// Runs a program in the pod to the end.
  public func run(_ command: String...) async throws -> Command.Outcome {
    try await Command.run(namespace.command(command))
  }

  /// Runs a program in the pod to the end; it must end with 0.
  @discardableResult
  public func exec(_ command: String...) async throws -> String {
    node.story.tellOnce("pod \(ip) $ \(command.joined(separator: " "))")
    let outcome = try await Command.run(namespace.command(command))
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output
  }

  /// Starts a program in the pod.
  public func start(_ command: String...) throws -> RunningProgram {
    try RunningProgram(namespace.command(command))
  }
}
