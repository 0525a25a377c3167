import ClusterTesting
import Foundation
import NodeTesting
import Testing

/// A node on which an arp-proxy answers for the gateway, not the host: pods send to its address.
@Suite(.enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct GatewayTests {
  @Test func podsReachTheHostTheNodeAndTheWorld() async throws {
    let node = try await ClusterNode("model", isStarted: false)
    // The agent makes the TAPs of ports 0 and 1.
    for daemon in [ClusterNode.Daemon.infrap4d, .infraagent] { try node.start(daemon) }
    let file = "/sys/class/net/P4TAP_0/address"
    var mac = ""
    try await node.until("port 0 is there") {
      try await Command.run(node.namespace.command(["cat", file])).status == 0
    }
    mac = try await node.namespace.exec("cat", file)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try await node.namespace.exec("ip", "link", "set", "P4TAP_0", "up")
    let socket = "unix:\(node.folder)/infrap4d.sock"
    let settings = [
      "GrpcServer.addr=\(socket)", "GnmiServer.addr=\(socket)", "State=\(node.folder)/manager",
      "InfraManager.addr=unix:\(node.folder)/manager.sock", "InfraManager.arp-mac=\(mac)",
    ]
    let manager = try RunningProgram(
      node.namespace.command(
        [ClusterNode.products.appendingPathComponent("inframanager").path]
          + settings.flatMap { ["--set", $0] }))
    let proxy = try RunningProgram(
      node.namespace.command([
        "env", "ARP_PROXY_IF=P4TAP_0",
        ClusterNode.products.appendingPathComponent("arp-proxy").path,
      ]))
    try await proxy.wait(for: "answering")
    try await node.untilReady()
    // Something that is no pod and neither of the node's own addresses in the pipeline.
    try await node.namespace.exec("ip", "addr", "add", "203.0.113.9/32", "dev", "lo")

    let (pod, other) = (try await TestPod(on: node), try await TestPod(on: node))
    for target in [other.ip, "200.1.1.2", ClusterNode.address, "203.0.113.9"] {
      let outcome = try await pod.run("ping", "-c", "1", "-W", "5", target)
      #expect(outcome.status == 0, "\(target): \(outcome)")
    }
    let known = try await pod.exec("ip", "neigh", "show", "169.254.1.1")
    #expect(known.contains(mac), "the proxy has answered: \(known)")
    // By way of the kubernetes Service.
    try await node.until("the API server answers") {
      try await pod.run(
        "curl", "-sS", "-m", "5", "--cacert", "\(node.api.folder)/ca.crt", "-H",
        "Authorization: Bearer \(try node.api.token())",
        "https://10.96.0.1/api/v1/services?limit=1"
      ).output.contains("10.96.0.1")
    }
    // And the host reaches the pod.
    try await node.namespace.exec("ping", "-c", "1", "-W", "5", pod.ip)
    withExtendedLifetime(manager) {}
  }
}
