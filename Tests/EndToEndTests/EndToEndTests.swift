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
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    // dnsmasq closes what it inherits, by which Foundation's Process tells that a program
    // has ended: the shell keeps it.
    let dnsmasq = try server.start(
      "sh", "-c", "setpriv --pdeathsig KILL \"$@\"; exit $?", "sh", "dnsmasq", "--no-daemon",
      "--no-resolv", "--no-hosts", "--port=1053", "--conf-file=/dev/null",
      "--pid-file=", "--address=/web.default.svc.cluster.local/10.96.0.10")
    try await node.put(
      "dns", "10.96.0.2",
      [.init(name: "dns", protocol: "UDP", port: 53), .init(name: "dns-tcp", port: 53)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "dns",
      ports: [
        .init(name: "dns", protocol: "UDP", port: 1053), .init(name: "dns-tcp", port: 1053),
      ])
    for transport in ["+notcp", "+tcp"] {
      try await node.until("the name is known") {
        try await client.run(
          "dig", "+short", "+time=1", "+tries=1", transport, "@10.96.0.2",
          "web.default.svc.cluster.local"
        ).output == "10.96.0.10\n"
      }
    }
    withExtendedLifetime(dnsmasq) {}
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
      // Until the Service is there.
      while output.status != 0 {
        output = try await Command.run(
          client.namespace.command(
            ["iperf3", "-J", "-t", "1", "--connect-timeout", "1000", "-c"] + options))
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
      while others < 30 {
        let answer = try await client.exec("curl", "-s", "-m", "30", "http://10.96.0.10/")
        others = answer.hasPrefix("\(old.name)\n") ? 0 : others + 1
      }
      while try await !old.pod.exec("ss", "-Htn", "state", "established").isEmpty {
        try await Task.sleep(for: .milliseconds(10))
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

  @Test(
    "kill -9 of manager, agent and API connection under traffic", arguments: Requirements.engines)
  func kills(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let client = try await TestPod(on: node)
    let server = try await TestPod(on: node)
    let (echo, web) = (
      try await Echo.serve(in: server), try await Web.serve("web", in: server)
    )
    // Two Services with one endpoint would meet in nat_collision now and then.
    let other = try await TestPod(on: node)
    let second = try await Web.serve("other", in: other)
    try await node.put(
      "web", "10.96.0.10", [.init(name: "http", port: 80), .init(name: "echo", port: 7)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "web",
      ports: [.init(name: "http", port: 8080), .init(name: "echo", port: 7007)])
    try await node.until("the Service answers") {
      try await client.run("curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.0.10/").status
        == 0
    }
    let connection = try await Echo(
      from: client, to: "10.96.0.10", port: 7, folder: node.folder)
    let load = try await Web.load("http://10.96.0.10/", from: client)
    var exchanges = 0
    for round in 0..<3 {
      for victim in ["infraagent", "inframanager", "both", "connection"] {
        // Something changes while it dies.
        try await node.put("new-\(round)", "10.96.1.\(round + 1)", [.init(port: 80)])
        try await node.put(
          endpoints: [.init(addresses: [other.ip])], of: "new-\(round)",
          ports: [.init(port: 8080)])
        switch victim {
        case "infraagent":
          try await node.kill(.infraagent)
          try node.start(.infraagent)
        case "inframanager":
          try await node.kill(.inframanager)
          try node.start(.inframanager)
        case "both":
          try await node.kill(.infraagent)
          try await node.kill(.inframanager)
          try node.start(.infraagent)
          try node.start(.inframanager)
        default:
          try await node.api.cut()
          if round == 1 { try await node.api.compact() }
        }
        exchanges += 2
        try await connection.exchange(upTo: exchanges)
        try await node.until("the new Service answers") {
          try await client.run(
            "curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.1.\(round + 1)/"
          ).status == 0
        }
        try await node.api.delete(Service.self, ObjectName("default", "new-\(round)"))
        try await node.api.delete(EndpointSlice.self, ObjectName("default", "new-\(round)-1"))
        try await node.until("it is gone") {
          try await client.run(
            "curl", "-sf", "-m", "1", "-o", "/dev/null", "http://10.96.1.\(round + 1)/"
          ).status != 0
        }
        try await node.untilReady()
      }
    }
    let result = try await Web.finish(load)
    node.story.tell("\(result)")
    #expect(result.failures == [], "of \(result.total)")
    // A Service that goes while the agent is down is removed by the next one.
    try await node.kill(.infraagent)
    try await node.api.delete(Service.self, ObjectName("default", "web"))
    try node.start(.infraagent)
    try await node.until("it is gone") {
      try await client.run("curl", "-sf", "-m", "1", "-o", "/dev/null", "http://10.96.0.10/").status
        != 0
    }
    // The connection stays with its endpoint all the same.
    try await connection.exchange(upTo: exchanges + 1)
    withExtendedLifetime((echo, web, second)) {}
  }

  @Test("Pods that come and go leave nothing behind", arguments: Requirements.engines)
  func noLeaks(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    func links() async throws -> [String] {
      try await node.namespace.exec("ip", "-o", "link").split(separator: "\n")
        .map { $0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces) }.sorted()
    }
    func isTAP(_ link: String) -> Bool { link.hasPrefix("P4TAP_") }
    func picture() async throws -> [String] {
      var picture = try await links().filter { !isTAP($0) }
      picture += try await node.namespace.exec("ip", "route").split(separator: "\n").map(
        String.init)
      picture +=
        (try? FileManager.default.contentsOfDirectory(atPath: "\(node.folder)/agent/tap"))
        ?? []
      return picture
    }
    func descriptors() throws -> Int {
      try ClusterNode.Daemon.allCases.reduce(0) { sum, daemon in
        let folder = "/proc/\(node.identifier(of: daemon))/fd"
        return sum + (try FileManager.default.contentsOfDirectory(atPath: folder)).count
      }
    }
    // As many at once as later, so that pools and caches have their size.
    func cycle() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let pod = try await TestPod(on: node)
            try await pod.disconnect()
          }
        }
        try await group.waitForAll()
      }
    }
    for _ in 0..<2 { try await cycle() }
    try await settled(picture)
    let before = try await picture()
    let open = try descriptors()
    for _ in 0..<5 { try await cycle() }
    try await settled(picture)
    #expect(try await picture() == before)
    // Ports 0 and 1, eight pods at once, spare ones; not one for each of these 40 pods.
    let taps = try await links().filter(isTAP)
    #expect(taps.count < 30, "\(taps)")
    // Connections come and go; one for each of these pods would be 40.
    let now = try descriptors()
    #expect(now < open + 20, "\(open) descriptors were open, now \(now)")
  }

  /// Waits until two looks in a row are the same.
  private func settled(_ picture: () async throws -> [String]) async throws {
    var last = try await picture()
    while true {
      try await Task.sleep(for: .milliseconds(300))
      let now = try await picture()
      if now == last { return }
      last = now
    }
  }
}
