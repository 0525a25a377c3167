import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// The whole node with real programs: nothing is mocked but the API server.
@Suite(
  .serialized, .enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct EndToEndTests {
  @Test(
    "Pods reach each other, the host, and the host reaches them", arguments: Requirements.engines)
  func ping(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let (a, b) = (try await TestPod(on: node), try await TestPod(on: node))
    try await a.exec("ping", "-c", "2", "-W", "5", b.ip)
    try await b.exec("ping", "-c", "2", "-W", "5", "-s", "1400", a.ip)
    try await a.exec("ping", "-c", "1", "-W", "5", ClusterNode.address)
    try await node.namespace.exec("ping", "-c", "1", "-W", "5", a.ip)
    // A pod that is gone is not reached any more, and its address is free.
    try await b.disconnect()
    #expect(try await a.run("ping", "-c", "1", "-W", "1", b.ip).status != 0)
    let c = try await TestPod(on: node)
    try await a.exec("ping", "-c", "1", "-W", "5", c.ip)
  }

  @Test("A web server behind a Service with three endpoints", arguments: Requirements.engines)
  func web(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let client = try await TestPod(on: node)
    var pods: [TestPod] = []
    var servers: [RunningProgram] = []
    for name in ["web-0", "web-1", "web-2"] {
      let pod = try await TestPod(on: node)
      servers.append(try await Web.serve(name, in: pod))
      pods.append(pod)
    }
    try await node.put("web", "10.96.0.10", [.init(name: "http", port: 80)])
    try await node.put(
      endpoints: pods.map { .init(addresses: [$0.ip], conditions: .init(ready: true)) }, of: "web",
      ports: [.init(name: "http", port: 8080)])
    // curl answers when the Service is there.
    try await node.until("the Service answers") {
      try await client.run("curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.0.10/").status
        == 0
    }
    let load = try await Web.load("http://10.96.0.10/", from: client)
    try await Task.sleep(for: .seconds(1))
    let result = try await Web.finish(load)
    node.story.tell("\(result)")
    #expect(result.failures == [])
    // Each has its third, within five standard deviations of chance.
    let mean = Double(result.total) / 3
    let bound = 5 * (Double(result.total) * 2 / 9).squareRoot()
    for (name, count) in result.counts {
      #expect(abs(Double(count) - mean) < bound, "\(name): \(count) of \(result.total)")
    }
    #expect(result.counts.count == 3)
    withExtendedLifetime(servers) {}
  }

  @Test("A real DNS server behind a UDP Service", arguments: Requirements.engines)
  func dns(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let server = try await NameServer.serve(
      "web.default.svc.cluster.local", "10.96.0.10", on: node)
    withExtendedLifetime(server) {}
  }

  @Test("TLS to the API server through the kubernetes Service", arguments: Requirements.engines)
  func tls(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let client = try await TestPod(on: node)
    let output = try await client.exec(
      "curl", "-sS", "-m", "10", "--cacert", "\(node.api.folder)/ca.crt", "-H",
      "Authorization: Bearer \(try node.api.token())", "https://10.96.0.1/api/v1/services?limit=1")
    #expect(
      output.filter { $0 != " " }.contains("\"clusterIP\":\"10.96.0.1\""), "\(output)")
    // It knows who does not belong here.
    #expect(
      try await client.exec(
        "curl", "-sS", "-m", "10", "--cacert", "\(node.api.folder)/ca.crt",
        "https://10.96.0.1/api/v1/services"
      ).contains("Unauthorized"))
  }

  @Test("iperf3 between pods and through a Service", arguments: Requirements.engines)
  func iperf(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    let iperf = try server.start("iperf3", "-s", "--forceflush")
    try await iperf.wait(for: "listening")
    try await node.put(
      "iperf", "10.96.0.20",
      [.init(name: "tcp", port: 5201), .init(name: "udp", protocol: "UDP", port: 5201)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "iperf",
      ports: [.init(name: "tcp", port: 5201), .init(name: "udp", protocol: "UDP", port: 5201)])
    struct Report: Decodable {
      struct End: Decodable {
        struct Sum: Decodable {
          var bytes: Double
        }
        var received: Sum?
        var sum: Sum?

        enum CodingKeys: String, CodingKey {
          case received = "sum_received"
          case sum
        }
      }
      var end: End
    }
    for options in [
      [server.ip], ["10.96.0.20"], ["10.96.0.20", "-R"], ["10.96.0.20", "-u", "-b", "50M"],
    ] {
      var output = Command.Outcome(status: 1, output: "")
      try await node.until("iperf3 \(options.joined(separator: " "))") {
        output = try await Command.run(
          client.namespace.command(
            ["iperf3", "-J", "-t", "1", "--connect-timeout", "1000", "-c"] + options))
        return output.status == 0
      }
      let report = try JSONDecoder().decode(Report.self, from: Data(output.output.utf8))
      let bytes = report.end.received?.bytes ?? report.end.sum?.bytes ?? 0
      #expect(bytes > 1_000_000, "\(options): \(output.output.suffix(2000))")
    }
  }

  @Test(
    "Scaling up and down, and replacing all endpoints, under load", arguments: Requirements.engines)
  func rollingUpdates(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let client = try await TestPod(on: node)
    var servers: [(name: String, pod: TestPod, program: RunningProgram)] = []
    func add(_ name: String) async throws {
      let pod = try await TestPod(on: node)
      servers.append((name, pod, try await Web.serve(name, in: pod)))
    }
    /// Tells of the pods, and of those that are about to end.
    func publish(ending: [TestPod] = []) async throws {
      try await node.put(
        endpoints: servers.map { .init(addresses: [$0.pod.ip], conditions: .init(ready: true)) }
          + ending.map {
            .init(
              addresses: [$0.ip],
              conditions: .init(ready: false, serving: true, terminating: true))
          }, of: "web", ports: [.init(port: 8080)])
    }
    try await add("web-0")
    try await node.put("web", "10.96.0.10", [.init(port: 80)])
    try await publish()
    try await node.until("the Service answers") {
      try await client.run("curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.0.10/").status
        == 0
    }
    let load = try await Web.load("http://10.96.0.10/", from: client)
    for number in 1...5 {
      try await add("web-\(number)")
      try await publish()
    }
    // Down to three, then each of those by a new one: as a Deployment does it, a pod ends
    // when its requests have ended.
    for number in 6...11 {
      if number > 8 { try await add("web-\(number)") }
      let old = servers.removeFirst()
      try await publish(ending: [old.pod])
      // terminationGracePeriod: until it gets no new requests and has answered those it had.
      var others = 0
      try await node.until("\(old.name) gets no requests") {
        let answer = try await client.exec("curl", "-s", "-m", "30", "http://10.96.0.10/")
        others = answer.hasPrefix("\(old.name)\n") ? 0 : others + 1
        return others == 30
      }
      try await node.until("\(old.name) has answered") {
        try await old.pod.exec("ss", "-Htn", "state", "established").isEmpty
      }
      try await publish()
      try await old.pod.disconnect()
      old.program.kill()
    }
    let result = try await Web.finish(load)
    node.story.tell("\(result)")
    #expect(result.failures == [], "of \(result.total)")
    #expect(result.counts["web-0"] != nil)
    // What is left is what answers.
    let last = try await Web.finish(try await Web.load("http://10.96.0.10/", from: client))
    #expect(Set(last.counts.keys) == ["web-9", "web-10", "web-11"])
    #expect(last.failures == [])
  }
}
