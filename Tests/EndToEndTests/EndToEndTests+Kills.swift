import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// The node's programs are killed at moments that nobody chose, while packets flow, pods come and
/// go, and Services change.
extension EndToEndTests {
  /// What is killed.
  private enum Victim: String, CaseIterable {
    case agent = "the agent"
    case manager = "the manager"
    case both = "agent and manager"
    case connection = "the API connection"

    var daemons: [ClusterNode.Daemon] {
      switch self {
      case .agent: [.infraagent]
      case .manager: [.inframanager]
      case .both: [.infraagent, .inframanager]
      case .connection: []
      }
    }
  }

  @Test(
    "kill -9 of manager, agent and API connection under traffic", arguments: Requirements.engines)
  func kills(_ engine: String) async throws {
    var chance = Chance(of: "kills(\(engine))")
    let node = try await ClusterNode(engine)
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    let (echo, web) = (
      try await Echo.serve(in: server), try await Web.serve("web", in: server)
    )
    try await node.put(
      "web", "10.96.0.10", [.init(name: "http", port: 80), .init(name: "echo", port: 7)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "web",
      ports: [.init(name: "http", port: 8080), .init(name: "echo", port: 7007)])
    try await node.until("the Service answers") {
      try await client.run("curl", "-sf", "-m", "5", "-o", "/dev/null", "http://10.96.0.10/").status
        == 0
    }
    let before = try await warmInventory(node)

    // Two Services with one endpoint would meet in nat_collision now and then. It goes before
    // things are compared: rows of endpoints drain for as long as the pod is there.
    let other = try await TestPod(on: node)
    let answers = try await Probe.serve(in: other)
    let connection = try await Echo(
      from: client, to: "10.96.0.10", port: 7, folder: node.folder)
    let load = try await Web.load("http://10.96.0.10/", from: client)
    let pods = PodChurn(on: node, workers: 2, reaching: server, seed: chance.seed)
    let services = ServiceChurn(on: node, endpoint: other.ip)
    let probe = try Probe(from: client, folder: node.folder)
    let victims = (Victim.allCases + Victim.allCases + Victim.allCases).shuffled(using: &chance)
    for (number, victim) in victims.enumerated() {
      services.resume(chance)
      try await chance.pause(.seconds(1))
      let address = "10.96.1.\(number + 1)"
      try await pods.disturb(victim != .connection) {
        for daemon in victim.daemons { try await node.kill(daemon) }
        try await services.pause()
        try await chance.pause(.seconds(3))
        // Something changes while it is away.
        try await node.put("probed", address, [.init(protocol: "UDP", port: Probe.port)])
        try await node.put(
          endpoints: [.init(addresses: [other.ip])], of: "probed",
          ports: [.init(protocol: "UDP", port: Probe.target)])
        try probe.ask(address)
        if victim == .connection {
          try await node.api.cut()
          if number.isMultiple(of: 2) { try await node.api.compact() }
        }
        var up = Date()
        for daemon in victim.daemons { try node.start(daemon) }
        for daemon in victim.daemons { up = max(up, try await node.listening(daemon)) }
        let packets = try await probe.answer(of: address)
        var confirmed: Date?
        try await node.until("all is confirmed", isTold: false) {
          confirmed = try await node.confirmed()
          return confirmed != nil
        }
        let convergence = Convergence(
          victim: victim.rawValue, confirmed: (confirmed ?? .distantFuture).timeIntervalSince(up),
          packets: packets.timeIntervalSince(up))
        print("  \(engine): \(convergence)")
        #expect(
          convergence.seconds <= Convergence.limit, "\(convergence), seed \(chance.seed)")
      }
      try await connection.exchange(upTo: 2 * (number + 1))
      try await node.api.delete(Service.self, ObjectName("default", "probed"))
      try await node.api.delete(EndpointSlice.self, ObjectName("default", "probed-1"))
    }
    try await services.end()
    let lives = try await pods.finish()
    try await other.disconnect()
    print("  \(engine): \(lives)")
    #expect(lives.wrong == [], "seed \(chance.seed)")
    #expect(lives.pods > victims.count)
    let result = try await Web.finish(load)
    node.story.tell("\(result)")
    #expect(result.failures == [], "of \(result.total), seed \(chance.seed)")
    #expect(try await node.differences(from: before) == [], "seed \(chance.seed)")
    // A Service that goes while the agent is down is removed by the next one.
    try await node.kill(.infraagent)
    try await node.api.delete(Service.self, ObjectName("default", "web"))
    try node.start(.infraagent)
    try await node.until("it is gone") {
      try await client.run("curl", "-sf", "-m", "1", "-o", "/dev/null", "http://10.96.0.10/").status
        != 0
    }
    // The connection stays with its endpoint all the same.
    try await connection.exchange(upTo: 2 * victims.count + 1)
    withExtendedLifetime((echo, web, answers)) {}
  }

  @Test("kill -9 of infrap4d while pods come and go", arguments: Requirements.engines)
  func killsOfInfrap4d(_ engine: String) async throws {
    var chance = Chance(of: "killsOfInfrap4d(\(engine))")
    let node = try await ClusterNode(engine)
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    let web = try await Web.serve("web", in: server)
    try await node.put("web", "10.96.0.10", [.init(port: 80)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "web", ports: [.init(port: 8080)])
    func answers() async throws {
      try await node.until("the Service answers") {
        try await client.run(
          "curl", "-sf", "-m", "1", "-o", "/dev/null", "http://10.96.0.10/"
        ).status == 0
      }
    }
    try await answers()
    let before = try await warmInventory(node)
    let other = try await TestPod(on: node)
    let pods = PodChurn(on: node, workers: 2, seed: chance.seed)
    let services = ServiceChurn(on: node, endpoint: other.ip)
    for _ in 0..<5 {
      services.resume(chance)
      try await chance.pause(.seconds(1))
      try await pods.disturb {
        try await node.kill(.infrap4d)
        try await chance.pause(.seconds(1))
        try node.start(.infrap4d)
        try await node.untilReady()
        // Forwarding goes on, for who was there.
        try await answers()
      }
      try await services.pause()
    }
    try await services.end()
    let lives = try await pods.finish()
    // Rows of endpoints drain for as long as the pod is there.
    try await other.disconnect()
    print("  \(engine): \(lives)")
    #expect(lives.wrong == [], "seed \(chance.seed)")
    #expect(try await node.differences(from: before) == [], "seed \(chance.seed)")
    withExtendedLifetime(web) {}
  }

  /// What there is when pods and Services have come and gone, so that whatever programs open
  /// once is open.
  private func warmInventory(_ node: ClusterNode) async throws -> Inventory {
    let pods = PodChurn(on: node, workers: 2, seed: 1, pods: 4)
    #expect(try await pods.finish(now: false).wrong == [])
    return try await node.settledInventory()
  }
}
