extension K8sDP {
  /// Of the entries of `flows` that an earlier process had, those that are right in a
  /// pipeline with these endpoints: both directions of a flow are there, and its endpoint
  /// has the address and port that the flow is translated to.
  ///
  /// - Parameter endpoints: the rows of `endpoints`.
  public static func keptFlows(
    _ entries: [LearnedEntry], endpoints: [TableEntry]
  ) -> [LearnedEntry] {
    var rows: [UInt64: TableEntry] = [:]
    for row in endpoints { rows[row.key[0]] = row }
    let flows = entries.compactMap { entry in FlowEnds(entry).map { (entry, $0) } }
    let requests = Set(flows.lazy.filter { !$0.1.isReply && $0.1.agrees(rows) }.map(\.1.flow))
    let replies = Set(flows.lazy.filter(\.1.isReply).map(\.1.flow))
    let whole = requests.intersection(replies)
    return flows.filter { whole.contains($0.1.flow) && ($0.1.isReply || $0.1.agrees(rows)) }
      .map(\.0)
  }
}

/// What an entry of `flows` says of its flow.
private struct FlowEnds {
  /// A translated flow, the same for the entries of both directions.
  struct Flow: Hashable {
    var client: UInt64
    var clientPort: UInt64
    var service: UInt64
    var servicePort: UInt64
    var endpoint: UInt64
    var endpointPort: UInt64
    var isTCP: Bool
  }

  private static let dnat: UInt64 = 1
  private static let snat: UInt64 = 2
  /// KIND_TCP and KIND_TCP_HALF.
  private static let tcpKinds: ClosedRange<UInt64> = 6...7

  var flow: Flow
  var isReply: Bool
  private var endpointID: UInt64

  init?(_ entry: LearnedEntry) {
    guard entry.table == K8sDP.flowsTable, entry.key.count == 6, entry.arguments.count == 5 else {
      return nil
    }
    let (key, arguments) = (entry.key, entry.arguments)
    let isTCP = Self.tcpKinds.contains(key[4])
    endpointID = arguments[0]
    switch arguments[4] {
    case Self.dnat:
      isReply = false
      flow = Flow(
        client: key[0], clientPort: key[1], service: key[2], servicePort: key[3],
        endpoint: arguments[1], endpointPort: arguments[2], isTCP: isTCP)
    case Self.snat:
      isReply = true
      flow = Flow(
        client: key[2], clientPort: key[3], service: arguments[1], servicePort: arguments[2],
        endpoint: key[0], endpointPort: key[1], isTCP: isTCP)
    default: return nil
    }
  }

  /// Whether the endpoint is the one that the flow was given.
  func agrees(_ rows: [UInt64: TableEntry]) -> Bool {
    // Every action of an endpoint that is there begins with its address and port.
    rows[endpointID].map { Array($0.arguments.prefix(2)) == [flow.endpoint, flow.endpointPort] }
      ?? false
  }
}
