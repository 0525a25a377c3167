import ClusterTesting
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import HealthProtos
import KubernetesTesting
import NodeTesting
import Testing

/// Each condition of `/check` goes away and comes back, with real programs.
@Suite(
  .serialized, .enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct HealthTests {
  /// Waits for an answer of `/check`, with its status at the end.
  private func reach(
    _ node: ClusterNode, _ status: String, _ conditions: [String: Bool]
  ) async throws {
    try await node.until("/check says \(status), \(conditions)") {
      let answer = try await node.check()
      return answer.hasSuffix(status)
        && conditions.allSatisfy { answer.contains("\"\($0.key)\": \($0.value)") }
    }
  }

  /// What `grpc.health.v1.Health` says on the CNI address.
  private func health(
    _ node: ClusterNode
  ) async throws -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
    try await withGRPCClient(
      transport: .http2NIOPosix(
        target: .unixDomainSocket(path: node.folder + "/cni.sock", authority: "localhost"),
        transportSecurity: .plaintext)
    ) { client in
      try await Grpc_Health_V1_Health.Client(wrapping: client).check(.init()).status
    }
  }

  @Test func theManagerGoesAndComesBack() async throws {
    let node = try await ClusterNode("model")
    #expect(try await health(node) == .serving)
    try await node.kill(.inframanager)
    try await reach(node, "500", ["manager": false, "hostInterface": true, "services": true])
    #expect(try await health(node) == .notServing)
    try node.start(.inframanager)
    try await reach(node, "200", ["manager": true])
    #expect(try await health(node) == .serving)
  }

  @Test func infrap4dGoesAndComesBack() async throws {
    let node = try await ClusterNode("model")
    try await node.kill(.infrap4d)
    try await reach(node, "500", ["manager": false, "hostInterface": false, "node": true])
    #expect(try await health(node) == .notServing)
    try node.start(.infrap4d)
    try await reach(node, "200", ["manager": true, "hostInterface": true])
    #expect(try await health(node) == .serving)
  }

  /// Until Kubernetes has told of Services and of the node, no pod comes.
  @Test func theAPIServerIsAway() async throws {
    let node = try await ClusterNode("model", isStarted: false)
    let stand = try #require(node.api as? APIServer, "a stand-in can hide its token")
    try stand.setToken("another", inFile: false)
    for daemon in ClusterNode.Daemon.allCases { try node.start(daemon) }
    try await reach(
      node, "500", ["manager": true, "hostInterface": true, "services": false, "node": false])
    #expect(try await health(node) == .notServing)
    try stand.setToken("another")
    try await reach(node, "200", ["services": true, "node": true])
    // Later it may be away: what it has told is still so.
    try stand.setToken("a third", inFile: false)
    stand.cut()
    try await reach(node, "200", ["services": true, "node": true])
    #expect(try await health(node) == .serving)
  }
}
