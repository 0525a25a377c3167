import ClusterTesting
import Foundation
import NodeTesting

/// Pods that come and go for long, and what they leave behind.
enum CycleMeasurement {
  /// At the same time.
  private static let workers = 4

  static func run(_ engine: String, cycles: Int) async throws -> [Figure] {
    let chance = Chance(of: "cycles")
    let node = try await ClusterNode(engine)
    // One in five has a namespace of its own, and a quarter of these is without it before DEL.
    // The others share some, because making one takes longer than all the rest.
    let fresh = max(workers, cycles / 5)
    var shared: [NetworkNamespace] = []
    for _ in 0..<workers { shared.append(try await NetworkNamespace("pod")) }
    // Programs open what they need once.
    try await share(shared, workers * 10, on: node)
    try await live(workers * 5, on: node, seed: chance.seed)
    let before = try await picture(node, shared)
    let clock = ContinuousClock()
    let time = try await clock.measure {
      try await share(shared, cycles - fresh, on: node)
      try await live(fresh, on: node, seed: chance.seed)
    }
    let left = try await node.differences(from: before.inventory)
    for thing in left { FileHandle.standardError.write(Data("left behind: \(thing)\n".utf8)) }
    let after = try await picture(node, shared)
    func more(_ name: String, _ count: (Picture) -> Int, aim: Double? = 0) -> Figure {
      Figure(
        name: "\(cycles) ADD and DEL: more \(name)", value: Double(count(after) - count(before)),
        unit: "", aim: aim)
    }
    return [
      Figure(name: "\(cycles) ADD and DEL", value: time / .seconds(1), unit: "s"),
      more("interfaces of the node") { $0.inventory.count(.interface) },
      more("interfaces in pods") { $0.interfacesInPods },
      more("routes of the node") { $0.inventory.count(.route) },
      more("routes in pods") { $0.routesInPods },
      more("ports of infrap4d") { $0.inventory.count(.port) },
      more("table entries") { $0.inventory.count(.entry) + $0.inventory.count(.flow) },
      more("records of the agent") { $0.inventory.count(.record) },
      more("records of the CNI plugin") { $0.inventory.count(.attachment) },
      more("leases of host-local") { $0.inventory.count(.lease) },
      more("file descriptors of the daemons") { $0.inventory.count(.descriptor) },
      Figure(
        name: "\(cycles) ADD and DEL: other differences", value: Double(left.count), unit: "",
        aim: 0),
      more("resident KiB of the daemons", { $0.resident }, aim: nil),
    ]
  }

  /// What there is, besides what ``Inventory`` knows of.
  private struct Picture {
    var inventory: Inventory
    var interfacesInPods = 0
    var routesInPods = 0
    /// KiB.
    var resident = 0
  }

  private static func picture(
    _ node: ClusterNode, _ namespaces: [NetworkNamespace]
  ) async throws -> Picture {
    var picture = Picture(inventory: try await node.settledInventory())
    for namespace in namespaces {
      picture.interfacesInPods += try await namespace.exec("ip", "-o", "link").count { $0 == "\n" }
      picture.routesInPods += try await namespace.exec("ip", "route", "show", "table", "all")
        .count { $0 == "\n" }
    }
    for daemon in ClusterNode.Daemon.allCases {
      let bytes = try await node.metrics(of: daemon)["process_resident_memory_bytes"] ?? 0
      picture.resident += Int(bytes / 1024)
    }
    return picture
  }

  /// Pods in namespaces that stay.
  private static func share(
    _ namespaces: [NetworkNamespace], _ count: Int, on node: ClusterNode
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (worker, namespace) in namespaces.enumerated() {
        group.addTask {
          for _ in stride(from: worker, to: count, by: namespaces.count) {
            try await PodMeasurement.call("ADD", namespace, node)
            try await PodMeasurement.call("DEL", namespace, node)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Pods that come and go with their namespaces.
  private static func live(_ count: Int, on node: ClusterNode, seed: UInt64) async throws {
    let churn = PodChurn(on: node, workers: workers, seed: seed, pods: count / workers)
    let result = try await churn.finish(now: false)
    guard result.wrong.isEmpty else {
      throw Unexpected(text: result.wrong.joined(separator: "\n"))
    }
  }

  private struct Unexpected: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
  }
}
