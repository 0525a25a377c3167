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
  /// NAT_DNAT of k8s_dp: the direction from the client, which each connection has once.
  private static let fromClient: UInt64 = 1
  private static let udp: UInt64 = 17

  /// - Parameter expected: entries that there may be, to choose the parts by.
  /// - Returns: nil when there is no pipeline, or another one by now.
  static func take(_ host: any DataplaneHost, expected: Int) async -> FlowCensus? {
    var census = FlowCensus()
    let parts = max(leastParts, expected / entriesPerTurn)
    do {
      let contract = try await host.withDataplane { $0.contract }
      for learner in contract.learners { census.entries[learner.name] = 0 }
      guard !contract.learners.isEmpty else { return census }
      let isK8sDP = K8sDP.contract.disagreement(with: contract) == nil
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
    guard entry.table == K8sDP.flowsTable, entry.key.count == 6, entry.arguments.count == 5,
      entry.arguments[4] == Self.fromClient
    else { return }
    // An entry that is over stands for no connection: often its connection has another.
    guard let timer = K8sDP.Timer(rawValue: entry.timer), timer != .tcpStale else { return }
    connections[timer, default: 0] += 1
    let target = Target(
      address: IPv4Address(UInt32(truncatingIfNeeded: entry.key[2])),
      port: UInt16(truncatingIfNeeded: entry.key[3]),
      transport: entry.key[4] == Self.udp ? "UDP" : "TCP")
    targets[target, default: 0] += 1
  }
}
