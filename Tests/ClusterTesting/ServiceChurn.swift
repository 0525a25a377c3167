import Kubernetes
import Synchronization

/// Services that come and go all the time.
public final class ServiceChurn: Sendable {
  private struct State {
    var isStopped = false
    var number = 0
    var living: [String] = []
  }

  private let node: ClusterNode
  private let endpoint: String
  private let state = Mutex(State())
  private let task = Mutex<Task<Void, any Error>?>(nil)

  /// Nothing happens before ``resume(_:)``.
  ///
  /// - Parameter endpoint: of them all.
  public init(on node: ClusterNode, endpoint: String) {
    self.node = node
    self.endpoint = endpoint
  }

  /// Begins, or goes on.
  public func resume(_ chance: Chance) {
    state.withLock { $0.isStopped = false }
    let started = Task {
      var chance = chance
      while !state.withLock(\.isStopped) {
        try await change()
        try await chance.pause(.milliseconds(50))
      }
    }
    task.withLock { $0 = started }
  }

  /// Returns when the last change is made.
  public func pause() async throws {
    state.withLock { $0.isStopped = true }
    try await task.withLock(\.self)?.value
  }

  /// Takes all of them away.
  public func end() async throws {
    try await pause()
    for name in state.withLock(\.living) { try await remove(name) }
  }

  /// A new one, and the oldest of five goes.
  private func change() async throws {
    let (number, oldest) = state.withLock { state in
      state.number += 1
      state.living.append("churn-\(state.number)")
      return (state.number, state.living.count > 5 ? state.living.removeFirst() : nil)
    }
    let name = "churn-\(number)"
    try await node.api.put(
      Service(
        metadata: .init(name: name, namespace: "default"),
        spec: .init(
          type: "ClusterIP", clusterIP: "10.96.\(100 + number / 250).\(1 + number % 250)",
          ports: [.init(port: 80)])))
    try await node.api.put(
      EndpointSlice(
        metadata: .init(
          name: name + "-1", namespace: "default", labels: [EndpointSlice.serviceLabel: name]),
        endpoints: [.init(addresses: [endpoint])], ports: [.init(port: 8080)]))
    if let oldest { try await remove(oldest) }
  }

  private func remove(_ name: String) async throws {
    try await node.api.delete(Service.self, ObjectName("default", name))
    try await node.api.delete(EndpointSlice.self, ObjectName("default", name + "-1"))
  }
}
