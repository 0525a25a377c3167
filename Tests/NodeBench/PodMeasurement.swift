import ClusterTesting
import Foundation
import NodeTesting

/// CNI ADD and DEL, as a container runtime calls them: infra-cni with host-local for addresses.
enum PodMeasurement {
  static func run(_ engine: String, pods: Int) async throws -> [Figure] {
    let node = try await ClusterNode(engine)
    var namespaces: [NetworkNamespace] = []
    for _ in 0..<pods { namespaces.append(try await NetworkNamespace("pod")) }
    var adds = Sample()
    var deletions = Sample()
    let clock = ContinuousClock()
    for namespace in namespaces {
      adds.add(try await clock.measure { try await call("ADD", namespace, node) })
    }
    for namespace in namespaces {
      deletions.add(try await clock.measure { try await call("DEL", namespace, node) })
    }
    // As many at once as the kubelet of a large node starts.
    let all = namespaces
    let together = try await clock.measure {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            for index in stride(from: worker, to: all.count, by: 8) {
              try await call("ADD", all[index], node)
            }
          }
        }
        try await group.waitForAll()
      }
    }
    return adds.figures("CNI ADD", aim: 50) + deletions.figures("CNI DEL", aim: nil) + [
      Figure(
        name: "\(pods) pods, 8 at once", value: together / .seconds(1), unit: "s",
        aim: 10 * Double(pods) / 200)
    ]
  }

  static func call(
    _ command: String, _ namespace: NetworkNamespace, _ node: ClusterNode
  ) async throws {
    let outcome = try await node.cni(
      command, namespace.name, netns: "/run/netns/\(namespace.name)")
    guard outcome.status == 0 else {
      throw Command.Failed(command: ["infra-cni", command], outcome: outcome)
    }
  }
}
