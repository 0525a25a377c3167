import Core
import InspectionProtos
import Replay

/// `k8sdp flows`: the connections that a running node tracks, one after another, however many.
public struct LiveFlows: Sendable {
  private let inspector: NodeInspector

  public init(_ inspector: NodeInspector) { self.inspector = inspector }

  /// Calls a function with every connection that is wanted, in no order.
  public func forEach(
    _ filter: FlowFilter, _ interruption: Interruption,
    _ body: @escaping @Sendable ([LiveFlow]) throws -> Void
  ) async throws(ReplayError) {
    _ = try await inspector.k8sDPStatus()
    let request = K8sdp_V1_ReadLearnedRequest.with { $0.table = K8sDP.flowsTable }
    do {
      try await interruption.ending { [inspector] in
        try await inspector.client.readLearned(request, options: inspector.options) { response in
          var clock = K8sdp_V1_Clock()
          for try await message in response.messages {
            if message.hasClock { clock = message.clock }
            var flows: [LiveFlow] = []
            for rows in message.rows {
              for entry in LearnedRows(rows) {
                guard let connection = K8sDP.Connection(entry) else { continue }
                let cycles = entry.expiry > clock.cycles ? entry.expiry - clock.cycles : 0
                let flow = LiveFlow(connection: connection, left: cycles / max(1, clock.hertz))
                if filter.matches(flow) { flows.append(flow) }
              }
            }
            if !flows.isEmpty { try body(flows) }
          }
        }
      }
    } catch {
      guard !interruption.isCalled, !(error is CaptureEnd) else { return }
      throw inspector.explain(error)
    }
  }
}

/// Learned entries of k8s_dp, out of a message.
struct LearnedRows: Sequence, IteratorProtocol {
  private let rows: K8sdp_V1_Rows
  private let keyCount: Int
  private let columns: Int
  private var place = 0

  init(_ rows: K8sdp_V1_Rows) {
    self.rows = rows
    keyCount = K8sDP.contract.learners.first { $0.name == rows.table }?.key.count ?? 0
    columns = Int(rows.columns)
  }

  mutating func next() -> LearnedEntry? {
    let start = place * columns
    guard columns > keyCount, keyCount > 0, start + columns <= rows.values.count,
      place < rows.timers.count, place < rows.expiries.count
    else { return nil }
    defer { place += 1 }
    return LearnedEntry(
      table: rows.table, key: Array(rows.values[start..<start + keyCount]), action: rows.action,
      arguments: Array(rows.values[start + keyCount..<start + columns]),
      timer: UInt8(truncatingIfNeeded: rows.timers[place]),
      expiry: UInt64(rows.expiries[place]) << 32)
  }
}
