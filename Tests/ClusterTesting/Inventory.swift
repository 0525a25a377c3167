import Foundation
import NodeTesting

/// Everything of a node that pods and Services come with and have to take along when they go.
public struct Inventory: Sendable, Equatable {
  public enum Kind: String, CaseIterable, Sendable {
    /// In the node's namespace.
    case interface, route
    /// infrap4d's.
    case port
    /// Of infrap4d's tables, except what the pipeline learns.
    case entry
    /// What the pipeline has learned: connections outlive pods, by their timers.
    case flow
    /// The agent's, of pods.
    case record
    /// What the manager wants.
    case wanted
    /// The CNI plugin's, and the addresses that its IPAM plugin has given.
    case attachment, lease
    /// Open file descriptors of all daemons.
    case descriptor
  }

  /// What there is, and how often.
  private var things: [Kind: [String: Int]] = [:]

  public func count(_ kind: Kind) -> Int { things[kind]?.values.reduce(0, +) ?? 0 }

  /// The names of all of a kind.
  public subscript(kind: Kind) -> [String] { (things[kind] ?? [:]).keys.sorted() }

  /// What is more and what is less than before, in words; empty when nothing is.
  public func differences(
    from before: Inventory, in kinds: [Kind] = Kind.allCases.filter { $0 != .flow }
  ) -> [String] {
    kinds.flatMap { kind -> [String] in
      let (now, then) = (things[kind] ?? [:], before.things[kind] ?? [:])
      return Set(now.keys).union(then.keys).sorted().compactMap { name in
        let change = (now[name] ?? 0) - (then[name] ?? 0)
        guard change != 0 else { return nil }
        return "\(change > 0 ? "+" : "")\(change) \(kind): \(name.prefix(200))"
      }
    }
  }

  private mutating func add(_ kind: Kind, _ names: some Sequence<some StringProtocol>) {
    for name in names { things[kind, default: [:]][String(name), default: 0] += 1 }
  }

  /// Looks at a node.
  fileprivate init(_ node: ClusterNode) async throws {
    // Before anything that opens some.
    for daemon in ClusterNode.Daemon.allCases {
      add(
        .descriptor,
        try Descriptors.names(of: node.identifier(of: daemon)).map { "\(daemon), \($0)" })
    }
    let links = try await node.namespace.exec("ip", "-o", "link").split(separator: "\n")
    add(.interface, links.map { $0.split(separator: " ")[1].prefix { $0 != "@" && $0 != ":" } })
    let routes = try await node.namespace.exec("ip", "-4", "route", "show", "table", "all")
    add(.route, routes.split(separator: "\n"))
    add(.record, Self.files("\(node.folder)/agent/tap"))
    add(.attachment, Self.files("\(node.attachments)/infra"))
    add(.lease, Self.files("\(node.leases)/infra").filter { $0.first?.isNumber == true })
    let infrap4d = try await node.metrics(of: .infrap4d).samples
    add(.port, infrap4d.keys.filter { $0.hasPrefix("infrap4d_port_up{") })
    let wanted = try await node.metrics(of: .inframanager).samples
    for (name, value) in wanted where name.hasPrefix("inframanager_desired_") {
      things[.wanted, default: [:]][name] = Int(value)
    }
    add(.entry, try await node.entries())
    for table in ClusterNode.learned {
      let count = infrap4d["infrap4d_table_entries{table=\"\(table)\"}"]
      things[.flow, default: [:]][table] = Int(count ?? 0)
    }
  }

  private static func files(_ folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }
}

extension ClusterNode {
  /// What there is now.
  public func inventory() async throws -> Inventory { try await Inventory(self) }

  /// What there is when nothing goes on any more: the same twice in a row.
  public func settledInventory() async throws -> Inventory {
    var last = try await inventory()
    try await until("the node is at rest") {
      let now = try await inventory()
      defer { last = now }
      return now.differences(from: last) == []
    }
    return last
  }

  /// Waits until there is what there was.
  ///
  /// - Returns: what is different all the same when that lasts too long.
  public func differences(
    from before: Inventory, within limit: Duration = .seconds(30)
  ) async throws -> [String] {
    let end = ContinuousClock.now + limit
    while true {
      let differences = try await inventory().differences(from: before)
      if differences.isEmpty || ContinuousClock.now > end { return differences }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
