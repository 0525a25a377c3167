import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// What the daemons of a node say of themselves.
@Suite(
  .serialized, .enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct NodeMetricsTests {
  /// The defaults: each daemon at its own port of the node.
  private static let addresses = [
    ("infrap4d", "127.0.0.1:9560"), ("inframanager", "127.0.0.1:50097"),
    ("infraagent", "127.0.0.1:50096"),
  ]

  @Test("Every metric is documented, and says what is so")
  func everyMetric() async throws {
    let node = try await ClusterNode("model")
    let (a, b) = (try await TestPod(on: node), try await TestPod(on: node))
    try await a.exec("ping", "-c", "1", "-W", "5", b.ip)
    try await node.put("web", "10.96.0.10", [.init(name: "http", port: 80)])
    try await node.put(
      endpoints: [.init(addresses: [a.ip]), .init(addresses: [b.ip])], of: "web",
      ports: [.init(name: "http", port: 8080)])
    let document = try MetricsDocument()
    try await node.until("the Service is everywhere") {
      let pages = try await Self.scrape(node)
      return pages["infraagent"]?["infraagent_service_ports"] == 2
        && pages["inframanager"]?["inframanager_desired_service_ports"] == 2
        && pages["infrap4d"]?["infrap4d_table_entries{table=\"services\"}"] == 2
    }
    let pages = try await Self.scrape(node)
    for (daemon, _) in Self.addresses {
      let page = try #require(pages[daemon])
      #expect(document.differences(from: page, program: daemon) == [])
    }
    let (agent, manager) = (try #require(pages["infraagent"]), try #require(pages["inframanager"]))
    for condition in ["manager", "hostInterface", "services", "node"] {
      #expect(agent["infraagent_condition{condition=\"\(condition)\"}"] == 1)
    }
    #expect(agent["infraagent_cni_requests_total{command=\"add\",result=\"ok\"}"] == 2)
    #expect(agent["infraagent_cni_request_duration_seconds_count{command=\"add\"}"] == 2)
    #expect(agent["infraagent_pods"] == 2)
    #expect(try #require(agent["infraagent_watch_lists_total{kind=\"Service\"}"]) >= 1)
    #expect(try #require(agent["kubeproxy_sync_proxy_rules_last_timestamp_seconds"]) > 1e9)
    #expect(manager["inframanager_dataplane_ready"] == 1)
    #expect(manager["inframanager_desired_pods"] == 2)
    #expect(manager["inframanager_desired_host_interfaces"] == 1)
    #expect(manager["inframanager_desired_endpoints"] == 3)
    for (_, address) in Self.addresses {
      for path in ["/healthz", "/readyz"] {
        try await node.namespace.exec("curl", "-sf", "-o", "/dev/null", "http://\(address)\(path)")
      }
    }
  }

  /// What an operator sees who has the node's ports on his own machine.
  @Test(
    "The page in a browser has Kubernetes' names",
    .enabled(if: Browser.missing == nil, "\(Browser.missing ?? "")"))
  func page() async throws {
    let node = try await ClusterNode("model")
    let client = try await TestPod(on: node, named: "client")
    var servers: [RunningProgram] = []
    var endpoints: [EndpointSlice.Endpoint] = []
    for name in ["web-0", "web-1", "web-2"] {
      let pod = try await TestPod(on: node, named: name)
      servers.append(try await Web.serve(name, in: pod))
      endpoints.append(.init(addresses: [pod.ip]))
    }
    try await node.put("web", "10.96.0.10", [.init(name: "http", port: 80)])
    try await node.put(endpoints: endpoints, of: "web", ports: [.init(name: "http", port: 8080)])
    try await node.until("the Service answers") {
      try await client.run("curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.0.10/").status
        == 0
    }
    let load = try await Web.load("http://10.96.0.10/", from: client)
    try await node.until("the page has it") {
      try await node.namespace.exec("curl", "-sf", "http://127.0.0.1:9560/status.json")
        .contains("10.96.0.10:80")
    }
    let picture = ProcessInfo.processInfo.environment["K8SDP_PICTURES"].map { $0 + "/node.png" }
    let page = try await Browser.open(
      "http://127.0.0.1:9560/", picture: picture, in: node.namespace)
    #expect(page.contains(#"<div id="health" class=""#), "\(page)")
    #expect(!page.contains(#"<div id="health" class="red""#))
    #expect(!page.contains(#"<div id="health" class="lost""#))
    for name in ["default/web<", "default/kubernetes<", "default/client", "default/web-2"] {
      #expect(page.contains(name), "\(name)")
    }
    for endpoint in endpoints { #expect(page.contains("\(endpoint.addresses[0]):8080")) }
    _ = try await Web.finish(load)
    // Others on the network are not told names.
    let far = try await node.namespace.exec(
      "curl", "-s", "-w", "%{http_code}", "http://\(ClusterNode.address):50096/names.json")
    #expect(far.hasSuffix("403"))
    withExtendedLifetime(servers) {}
  }

  private static func scrape(_ node: ClusterNode) async throws -> [String: ExposedMetrics] {
    var pages: [String: ExposedMetrics] = [:]
    for (daemon, address) in addresses {
      pages[daemon] = try ExposedMetrics(
        try await node.namespace.exec("curl", "-sf", "http://\(address)/metrics"))
    }
    return pages
  }
}
