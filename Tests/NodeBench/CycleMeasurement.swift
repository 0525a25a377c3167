import ClusterTesting
import Core
import Foundation
import Infrap4dDataplane
import Logging
import NodeTesting

/// Pods that come and go for long, and what they leave behind.
enum CycleMeasurement {
  /// How many are there of what a pod has.
  private struct Picture {
    var interfaces = 0
    var routes = 0
    var records = 0
    var entries = 0
    var descriptors = 0
    /// KiB of all daemons.
    var resident = 0
  }

  static func run(_ engine: String, cycles: Int) async throws -> [Figure] {
    let node = try await ClusterNode(engine)
    let workers = 4
    var namespaces: [NetworkNamespace] = []
    for _ in 0..<workers { namespaces.append(try await NetworkNamespace("pod")) }
    let all = namespaces
    @Sendable func cycle(_ count: Int) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<workers {
          group.addTask {
            for _ in 0..<(count / workers) {
              try await PodMeasurement.call("ADD", all[worker], node)
              try await PodMeasurement.call("DEL", all[worker], node)
            }
          }
        }
        try await group.waitForAll()
      }
    }
    // Pools and caches have their size then.
    try await cycle(200)
    let before = try await picture(node)
    let clock = ContinuousClock()
    let time = try await clock.measure { try await cycle(cycles) }
    let after = try await picture(node)
    func more(_ name: String, _ path: KeyPath<Picture, Int>, aim: Double? = 0) -> Figure {
      Figure(
        name: "\(cycles) ADD and DEL: more \(name)",
        value: Double(after[keyPath: path] - before[keyPath: path]), unit: "", aim: aim)
    }
    return [
      Figure(name: "\(cycles) ADD and DEL", value: time / .seconds(1), unit: "s"),
      more("interfaces", \.interfaces), more("routes", \.routes), more("records", \.records),
      more("table entries", \.entries), more("file descriptors", \.descriptors),
      more("resident KiB", \.resident, aim: nil),
    ]
  }

  private static func picture(_ node: ClusterNode) async throws -> Picture {
    // TAPs over the pool's size are given back within its look-after.
    try await Task.sleep(for: .seconds(12))
    var picture = Picture()
    picture.interfaces = try await node.namespace.exec("ip", "-o", "link").count { $0 == "\n" }
    picture.routes = try await node.namespace.exec("ip", "route").count { $0 == "\n" }
    picture.records = try FileManager.default
      .contentsOfDirectory(atPath: "\(node.folder)/agent/tap").count
    for daemon in ClusterNode.Daemon.allCases {
      let folder = "/proc/\(node.identifier(of: daemon))"
      picture.descriptors += try FileManager.default
        .contentsOfDirectory(atPath: folder + "/fd").count
      let status = try String(contentsOfFile: folder + "/status", encoding: .utf8)
      let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
      picture.resident += Int(resident?.split(separator: " ").dropFirst().first ?? "") ?? 0
    }
    // A controller reads them in the manager's place.
    try await node.kill(.inframanager)
    var options = Infrap4dOptions()
    options.address = .unix(path: "\(node.folder)/infrap4d.sock")
    options.security = .plaintext
    let client = try Infrap4dClient(options, logger: Logger(label: "bench"))
    await client.start()
    try await client.ready()
    for table in K8sDP.contract.tables {
      picture.entries += try await client.entries(of: table.name).count
    }
    await client.stop()
    try node.start(.inframanager)
    try await node.untilReady()
    return picture
  }
}
