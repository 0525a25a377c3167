import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// Containers of a real runtime, connected by the CNI plugin: containerd starts them, with
/// a root file system made of Debian's busybox.
@Suite(.enabled(if: Containerd.missing == nil, "\(Containerd.missing ?? "")"))
struct ContainerTests {
  @Test("Containers of containerd behind a Service", arguments: Requirements.engines)
  func containers(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let containerd = try await Containerd(node)
    let client = try await TestPod(on: node)
    var containers: [Containerd.Container] = []
    for name in ["web-a", "web-b"] {
      containers.append(try await containerd.run("\(name)-\(engine)"))
    }
    // From container to container, and from the pod to both through the Service.
    let output = try await containers[0].exec("ping", "-c", "1", "-W", "5", containers[1].ip)
    #expect(output.contains("1 packets received"))
    try await node.put("web", "10.96.0.40", [.init(port: 80)])
    try await node.put(
      endpoints: containers.map { .init(addresses: [$0.ip]) }, of: "web",
      ports: [.init(port: 8080)])
    for container in containers {
      try await node.until("\(container.name) answers") {
        try await client.run("curl", "-s", "-m", "5", "http://10.96.0.40/name").output
          == container.name
      }
    }
    // A container ends with all that is in it: the runtime's DEL finds no namespace.
    let gone = containers.removeFirst()
    try await gone.kill()
    try await node.put(
      endpoints: containers.map { .init(addresses: [$0.ip]) }, of: "web",
      ports: [.init(port: 8080)])
    let next = try await containerd.run("web-c-\(engine)")
    #expect(next.ip != gone.ip)
    let records = try FileManager.default.contentsOfDirectory(atPath: "\(node.folder)/agent/tap")
    #expect(records.count == 3)
    for container in containers + [next] { try await container.kill() }
  }
}
