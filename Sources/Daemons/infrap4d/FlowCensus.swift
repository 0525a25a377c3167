import Core
import Hosting

/// How many learned entries there are. They are counted a part at a time, between bursts of
/// frames, as ``FlowStore`` reads them.
struct FlowCensus: Sendable {
  /// A port of a Service.
  struct Target: Hashable, Sendable {
    var address: IPv4Address
    var port: UInt16
    /// `TCP` or `UDP`.
    var transport: String
  }

  /// Entries of each table that the pipeline fills.
  var entries: [String: Int] = [:]
  /// Connections of k8s_dp by the state that their timer stands for.
  var connections: [K8sDP.Timer: Int] = [:]
  /// The same by the Service that the client called.
  var targets: [Target: Int] = [:]

  private static let entriesPerTurn = 2048
  private static let leastParts = 64

  /// - Parameter expected: entries that there may be, to choose the parts by.
  /// - Returns: nil when there is no pipeline, or another one by now.
  static func take(_ host: any DataplaneHost, expected: Int) async -> FlowCensus? {
    var census = FlowCensus()
    let parts = max(leastParts, expected / entriesPerTurn)
    do {
      let contract = try await host.withDataplane { $0.contract }
      for learner in contract.learners { census.entries[learner.name] = 0 }
      guard !contract.learners.isEmpty else { return census }
      let isK8sDP = contract.isK8sDP
      for part in 0..<parts {
        let some = try await host.withDataplane { dataplane in
          dataplane.learnedEntries(at: host.now, part: part, of: parts)
        }
        for entry in some {
          census.entries[entry.table, default: 0] += 1
          if isK8sDP { census.note(entry) }
        }
      }
    } catch {
      return nil
    }
    return census
  }

  private mutating func note(_ entry: LearnedEntry) {
    guard let connection = K8sDP.Connection(entry) else { return }
    connections[connection.timer, default: 0] += 1
    let target = Target(
      address: connection.service.address, port: connection.service.port,
      transport: connection.transport.name)
    targets[target, default: 0] += 1
  }
}
