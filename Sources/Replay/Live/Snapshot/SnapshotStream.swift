import Core
import InspectionProtos
import Replay

/// A snapshot as it comes from a running node.
struct SnapshotStream: Sendable {
  /// What comes, in this order.
  enum Part {
    case moment(Moment)
    case rows([TableEntry])
    case learned([LearnedEntry])
    /// All rows have come.
    case complete
    case frames([LiveFrame], missed: UInt64)
    /// At a time, nanoseconds since 1970.
    case change(UInt64, [Update])
    case end(pipelineChanged: Bool)
  }

  struct Moment: Sendable {
    /// Nanoseconds since 1970.
    var time: UInt64
    var engine: String
    var hertz: UInt64
    var cycles: UInt64
    var timers: [K8sDP.Timer: UInt32]
    /// Nanoseconds that frames waited.
    var paused: UInt64
  }

  let inspector: NodeInspector
  /// Nanoseconds; 0 is the moment only.
  var duration: UInt64 = 0
  /// What it is about; none is all.
  var addresses: [IPv4Address] = []

  /// Reads it to its end, which the interruption is, too.
  ///
  /// - Throws: what `body` throws, and an explained error when it does not come to its end.
  func read(
    _ interruption: Interruption, _ body: @escaping @Sendable (Part) throws -> Void
  ) async throws(ReplayError) {
    let request = K8sdp_V1_TakeSnapshotRequest.with {
      $0.duration = duration
      $0.addresses = addresses.map(\.value)
    }
    do {
      try await interruption.ending { [inspector] in
        try await inspector.client.takeSnapshot(request, options: inspector.options) { response in
          for try await message in response.messages {
            if let part = Part(message) { try body(part) }
          }
        }
      }
    } catch {
      guard !interruption.isCalled else { return }
      throw inspector.explain(error)
    }
  }
}

extension SnapshotStream.Part {
  init?(_ message: K8sdp_V1_TakeSnapshotResponse) {
    switch message.content {
    case .moment(let moment):
      let timers = K8sDP.Timer.allCases.compactMap { timer in
        moment.timers.indices.contains(timer.profile)
          ? (timer, moment.timers[timer.profile]) : nil
      }
      self = .moment(
        SnapshotStream.Moment(
          time: moment.time, engine: moment.engine, hertz: moment.clock.hertz,
          cycles: moment.clock.cycles, timers: Dictionary(uniqueKeysWithValues: timers),
          paused: moment.paused))
    case .rows(let rows): self = .rows(Self.entries(rows))
    case .learned(let rows): self = .learned(Array(LearnedRows(rows)))
    case .complete: self = .complete
    case .frames(let frames):
      self = .frames(frames.frames.map(LiveFrame.init), missed: frames.missed)
    case .change(let change): self = .change(change.time, change.updates.compactMap(Update.init))
    case .end(let end): self = .end(pipelineChanged: end.pipelineChanged)
    case nil: return nil
    }
  }

  private static func entries(_ rows: K8sdp_V1_Rows) -> [TableEntry] {
    let keyCount = K8sDP.contract.table(rows.table)?.key.count ?? 0
    let columns = Int(rows.columns)
    guard keyCount > 0, columns >= keyCount else { return [] }
    return stride(from: 0, through: rows.values.count - columns, by: columns).map { start in
      TableEntry(
        table: rows.table, key: Array(rows.values[start..<start + keyCount]), action: rows.action,
        arguments: Array(rows.values[start + keyCount..<start + columns]))
    }
  }
}

extension Update {
  fileprivate init?(_ message: K8sdp_V1_TakeSnapshotResponse.Update) {
    let entry = TableEntry(
      table: message.table, key: message.key, action: message.action, arguments: message.arguments)
    switch message.kind {
    case .insert: self = .insert(entry)
    case .modify: self = .modify(entry)
    case .delete: self = .delete(table: message.table, key: message.key)
    default: return nil
    }
  }
}
