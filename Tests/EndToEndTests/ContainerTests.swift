import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// Containers of a real runtime, connected by the CNI plugin: containerd starts them, with
/// a root file system made of Debian packages.
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
    let ping = try await containers[0].exec(
      "/bin/ping", "-c", "1", "-W", "5", containers[1].ip)
    #expect(ping.contains("1 received"), "\(ping)")
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
    // From a container through Services.
    let resolver = try await NameServer.serve(
      "web.default.svc.cluster.local", "10.96.0.40", on: node)
    for transport in ["+notcp", "+tcp"] {
      let lookup = try await containers[0].exec(
        "/usr/bin/dig", "+short", "+time=5", transport, "@10.96.0.2",
        "web.default.svc.cluster.local")
      #expect(lookup == "10.96.0.40\n", "\(lookup)")
    }
    // A container ends with all that is in it: the runtime's DEL finds no namespace.
    let gone = containers.removeFirst()
    try await gone.kill()
    try await node.put(
      endpoints: containers.map { .init(addresses: [$0.ip]) }, of: "web",
      ports: [.init(port: 8080)])
    let next = try await containerd.run("web-c-\(engine)")
    #expect(next.ip != gone.ip)
    let page = try await next.exec("/usr/bin/curl", "-sS", "-m", "10", "http://10.96.0.40/name")
    #expect(page == containers[0].name)
    let records = try FileManager.default.contentsOfDirectory(atPath: "\(node.folder)/agent/tap")
    // Beside the containers, three pods.
    #expect(records.count == 5)
    for container in containers + [next] { try await container.kill() }
    withExtendedLifetime(resolver) {}
  }
}
