import ClusterTesting
import Foundation
import NodeTesting

/// A node that starts while the API is already full of Services.
enum ColdStartMeasurement {
  /// What takes longer than any aim is a figure all the same.
  private static let patience = Duration.seconds(600)
  /// Who looks shall not take the processors from those who work.
  private static let pause = Duration.milliseconds(100)

  static func run(_ engine: String, services: Int) async throws -> [Figure] {
    let node = try await ClusterNode(engine, podCIDR: "10.244.0.0/16", isStarted: false)
    try await ManyServices.put(0..<services, on: node)
    let clock = ContinuousClock()
    var figures: [Figure] = []
    let name = "\(services) Services x \(ManyServices.endpoints) endpoints"
    let cold = try await clock.measure {
      for daemon in ClusterNode.Daemon.allCases { try node.start(daemon) }
      try await node.untilReady(within: patience, pause: pause)
    }
    figures.append(
      Figure(
        name: "\(name): cold start of all daemons", value: cold / .seconds(1), unit: "s",
        aim: 10 * Double(services) / 10_000))
    try await check(node, services)
    // What an upgrade does: the pipeline has its entries already.
    for daemon in [ClusterNode.Daemon.inframanager, .infraagent] {
      try await node.kill(daemon)
      let warm = try await clock.measure {
        try node.start(daemon)
        try await node.untilReady(within: patience, pause: pause)
      }
      figures.append(
        Figure(
          name: "\(name): \(daemon.rawValue) again", value: warm / .seconds(1), unit: "s"))
    }
    return figures
  }

  /// Packets to the last Service whose endpoint is a pod that is there.
  private static func check(_ node: ClusterNode, _ services: Int) async throws {
    let (server, client) = (try await TestPod(on: node), try await TestPod(on: node))
    // host-local gives the first address of the first group.
    let number = (services - 1) / 250 * 250
    let target = ManyServices.target(number)
    guard target.addresses.contains(server.ip) else {
      throw Unexpected(text: "the pod has \(server.ip)")
    }
    let echo = try server.start(
      "socat", "-u", "UDP-RECV:\(target.port)", "STDOUT")
    // One in ten of them gets there.
    for _ in 0..<500 {
      _ = try await client.run(
        "bash", "-c", "echo arrived > /dev/udp/\(ManyServices.address(number))/80")
    }
    try await echo.wait(for: "arrived")
  }

  struct Unexpected: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
  }
}
