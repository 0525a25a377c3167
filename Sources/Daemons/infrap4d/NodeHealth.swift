import Core
import Foundation

/// How the node is, with the reasons in words.
struct NodeHealth: Hashable, Sendable, Encodable {
  enum Level: String, Sendable, Encodable { case green, amber, red }

  var level = Level.green
  /// What is wrong, the worst first; what is so when nothing is.
  var reasons: [String] = []

  /// Counts that matter when they grow.
  struct Troubles: Hashable, Sendable {
    var dropped: [DropReason: UInt64] = [:]
    var learnFailures: UInt64 = 0
    var refused: UInt64 = 0
  }

  /// Drops that tell of a fault, and not of what pods are not to reach.
  private static let unfit: [DropReason] = [
    .truncated, .badLength, .badOffload, .badIPHeader, .badPort, .oversized,
  ]
  private static let nearlyFull = 0.9

  /// - Parameters:
  ///   - before: the troubles that there were about a minute ago.
  ///   - agent: how the node's agent is.
  init(
    _ node: NodeSnapshot, since before: Troubles, agent: AgentWatch.Standing = .notAsked
  ) {
    var red: [String] = []
    var amber: [String] = []
    let now = node.troubles
    func grew(_ reason: DropReason) -> UInt64 {
      let (now, before) = (now.dropped[reason] ?? 0, before.dropped[reason] ?? 0)
      // Another pipeline counts from 0 again.
      return now >= before ? now - before : now
    }
    func frames(_ count: UInt64) -> String { count == 1 ? "1 frame" : "\(count) frames" }

    if node.pipeline == nil { red.append("no pipeline is installed: every frame is dropped") }
    if grew(.flowTableFull) > 0 {
      red.append("the flow table is full: \(frames(grew(.flowTableFull))) of new connections lost")
    }
    for table in node.tables where Double(table.entries) >= nearlyFull(table.capacity) {
      let part = 100 * table.entries / max(1, table.capacity)
      let text = "table \(table.name) is \(part) % full"
      if table.entries >= table.capacity { red.append(text) } else { amber.append(text) }
    }
    if node.control.streams == 0 {
      amber.append(
        node.pipeline == nil
          ? "no controller is connected, which would push one"
          : "no controller is connected: frames are forwarded, and nothing changes")
    }
    if let trouble = agent.trouble { amber.append(trouble) }
    for port in node.ports {
      if port.location == nil {
        amber.append("the interface of port \(port.description.name) is gone")
      } else if port.id == K8sDP.hostPort, !port.isUp {
        amber.append("the host's interface \(port.description.name) is down")
      }
    }
    if now.learnFailures > before.learnFailures {
      amber.append("\(now.learnFailures - before.learnFailures) flows found no room")
    }
    if now.refused > before.refused {
      amber.append("\(frames(now.refused - before.refused)) not taken by interfaces")
    }
    if grew(.noEndpoint) > 0 {
      amber.append("a Service without endpoints is called: \(frames(grew(.noEndpoint))) dropped")
    }
    let unfit = Self.unfit.reduce(0) { $0 + grew($1) }
    if unfit > 0 { amber.append("\(frames(unfit)) unfit to be forwarded") }

    level = !red.isEmpty ? .red : !amber.isEmpty ? .amber : .green
    reasons = red + amber
    if reasons.isEmpty { reasons = ["frames are forwarded, and a controller is connected"] }

    func nearlyFull(_ capacity: Int) -> Double { Self.nearlyFull * Double(capacity) }
  }
}

extension NodeSnapshot {
  struct TableFill: Hashable, Sendable, Encodable {
    var name: String
    var entries: Int
    var capacity: Int
  }

  /// Of all tables, the learned ones last.
  var tables: [TableFill] {
    guard let pipeline else { return [] }
    return pipeline.contract.tables.map {
      TableFill(name: $0.name, entries: pipeline.entries[$0.name] ?? 0, capacity: $0.size)
    }
      + pipeline.contract.learners.map {
        TableFill(name: $0.name, entries: flows?.entries[$0.name] ?? 0, capacity: $0.capacity)
      }
  }

  var troubles: NodeHealth.Troubles {
    NodeHealth.Troubles(
      dropped: pipeline?.counters.dropped ?? [:],
      learnFailures: pipeline?.counters.learners.values.reduce(0) { $0 + $1.learnFailed } ?? 0,
      refused: ports.reduce(0) { $0 + $1.counters.refused })
  }
}
