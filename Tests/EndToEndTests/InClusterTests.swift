import ClusterTesting
import Foundation
import Kubernetes
import KubernetesTesting
import NodeTesting
import Testing

/// An agent as the manifests run it: nothing but what Kubernetes gives a pod tells it where the
/// API server is and who the agent is.
@Suite(.enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct InClusterTests {
  @Test("KUBERNETES_SERVICE_HOST and the mounted service account")
  func serviceAccount() async throws {
    let node = try await ClusterNode("model", identity: .serviceAccount)
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    let web = try await Web.serve("web", in: server)
    func put(_ name: String, _ address: String) async throws {
      try await node.put(name, address, [.init(port: 80)])
      try await node.put(
        endpoints: [.init(addresses: [server.ip])], of: name, ports: [.init(port: 8080)])
    }
    func answers(_ address: String) async throws {
      try await node.until("\(address) answers") {
        try await client.run(
          "curl", "-sf", "-m", "5", "-o", "/dev/null", "http://\(address)/"
        ).status == 0
      }
    }
    try await put("web", "10.96.0.10")
    try await answers("10.96.0.10")
    // Tokens are replaced before they end, and the old one is no good any more.
    if let api = node.api as? APIServer {
      try api.setToken("second", inFile: false)
      api.cut()
      try await node.until("the agent is refused") {
        let failures = try await node.metrics(of: .infraagent).samples
          .filter { $0.key.hasPrefix("infraagent_watch_failures_total") }.values.reduce(0, +)
        // One watch of each kind was cut off; then comes the token.
        return failures > 3
      }
      try "second".write(
        toFile: node.serviceAccount + "/token", atomically: true, encoding: .utf8)
      try await put("other", "10.96.0.11")
      try await answers("10.96.0.11")
    }
    withExtendedLifetime(web) {}
  }
}
