import Core
import GRPCCore
import Hosting
import InspectionProtos
import P4RuntimeService

/// One TakeSnapshot call: tables and learned entries of one moment, then what happens from then
/// on.
struct SnapshotCall {
  typealias Writer = RPCWriter<K8sdp_V1_TakeSnapshotResponse>

  /// Frames that come while the rows are told have to wait for their turn.
  private static let bufferSize = 64 << 20

  private let service: InspectionService
  private let slice: SnapshotSlice
  private let writer: Writer

  /// What there is at the moment.
  private struct Moment: Sendable {
    var epoch: Epoch
    var message: K8sdp_V1_TakeSnapshotResponse.Moment
    /// Unless they are read afterwards.
    var learned: [LearnedEntry] = []
  }

  /// - Parameter addresses: what it is about; none is all.
  init(_ service: InspectionService, addresses: [UInt32], _ writer: Writer) {
    self.service = service
    slice = SnapshotSlice(addresses)
    self.writer = writer
  }

  /// - Parameter nanoseconds: to tell of frames and updates; 0 tells of none.
  func run(for nanoseconds: UInt64, _ context: ServerContext) async throws {
    let host = service.host
    guard nanoseconds > 0 else {
      let (rows, moment) = try await InspectionService.mapped {
        try await service.controller.whileStill { rows in
          (rows, try await host.withDataplane { Self.moment($0, host.now, rows.contract) })
        }
      }
      try await writer.write(.with { $0.moment = moment.message })
      var endpoints: Set<UInt64> = []
      try await service.learned { try await tell($0[...], &endpoints) }
      try await tell(rows, endpoints)
      try await writer.write(.with { $0.complete = .init() })
      try await end(pipelineChanged: false)
      return
    }
    var options = CaptureOptions()
    options.seesUpdates = true
    options.bufferSize = Self.bufferSize
    let (rows, capture, moment) = try await InspectionService.mapped {
      try await service.controller.whileStill { [options] rows in
        let (capture, moment) = try await host.capture(options) { dataplane, now in
          guard let dataplane else {
            throw DataplaneError(.unavailable, "pipeline", "none is installed; push one first")
          }
          return Self.momentWithLearned(dataplane, now, rows.contract)
        }
        return (rows, capture, moment)
      }
    }
    try await InspectionService.follow(capture, for: nanoseconds, context) {
      try await writer.write(.with { $0.moment = moment.message })
      var endpoints: Set<UInt64> = []
      for start in stride(from: 0, to: moment.learned.count, by: RowMessages.longest) {
        let end = min(start + RowMessages.longest, moment.learned.count)
        try await tell(moment.learned[start..<end], &endpoints)
      }
      try await tell(rows, endpoints)
      try await writer.write(.with { $0.complete = .init() })
      while let batch = await capture.next() { try await tell(batch, moment.epoch) }
      try await end(pipelineChanged: capture.lostPipeline)
    }
  }

  private static func moment(
    _ dataplane: any Dataplane, _ now: Timestamp, _ contract: Contract
  ) -> Moment {
    let epoch = Epoch(now)
    return Moment(
      epoch: epoch,
      message: .with {
        $0.time = epoch.date(now)
        $0.engine = dataplane.name
        $0.clock = K8sdp_V1_Clock(dataplane, at: now)
        $0.timers = contract.learners.first?.timers ?? []
      })
  }

  /// Runs on the forwarding thread: nothing comes between the entries and the first frame.
  private static func momentWithLearned(
    _ dataplane: any Dataplane, _ now: Timestamp, _ contract: Contract
  ) -> Moment {
    let start = ContinuousClock.now
    var moment = moment(dataplane, now, contract)
    moment.learned = dataplane.learnedEntries(at: now, part: 0, of: 1)
    let paused = (ContinuousClock.now - start).components
    moment.message.paused =
      UInt64(paused.seconds) * 1_000_000_000 + UInt64(paused.attoseconds / 1_000_000_000)
    return moment
  }

  /// - Parameter endpoints: that learned entries point at.
  private func tell(_ rows: RowView, _ endpoints: Set<UInt64>) async throws {
    guard slice.isAll else { return try await tell(slice.rows(of: rows, endpoints: endpoints)) }
    for table in rows.contract.tables.map(\.name).sorted() {
      var some: [TableEntry] = []
      for entry in rows.entries(of: table) {
        some.append(entry)
        guard some.count == RowMessages.longest else { continue }
        try await tell(some)
        some.removeAll(keepingCapacity: true)
      }
      try await tell(some)
    }
  }

  private func tell(_ entries: [TableEntry]) async throws {
    for rows in RowMessages.rows(entries) { try await writer.write(.with { $0.rows = rows }) }
  }

  /// - Parameter endpoints: gets the endpoints that these point at.
  private func tell(
    _ entries: ArraySlice<LearnedEntry>, _ endpoints: inout Set<UInt64>
  ) async throws {
    let wanted = slice.isAll ? Array(entries) : entries.filter(slice.contains)
    if !slice.isAll { endpoints.formUnion(wanted.compactMap(\.arguments.first)) }
    for rows in RowMessages.learned(wanted) {
      try await writer.write(.with { $0.learned = rows })
    }
  }

  private func tell(_ batch: CaptureBatch, _ epoch: Epoch) async throws {
    for change in batch.changes {
      try await writer.write(
        .with {
          $0.change = .with {
            $0.time = epoch.date(change.time)
            $0.updates = change.updates.compactMap(Self.message)
          }
        })
    }
    for message in FrameMessages(batch, epoch) {
      try await writer.write(.with { $0.frames = message })
    }
  }

  private func end(pipelineChanged: Bool) async throws {
    try await writer.write(.with { $0.end = .with { $0.pipelineChanged = pipelineChanged } })
  }

  /// - Returns: nil for what k8s_dp has not: groups, and actions for misses that can be set.
  private static func message(_ update: Update) -> K8sdp_V1_TakeSnapshotResponse.Update? {
    func message(
      _ kind: K8sdp_V1_TakeSnapshotResponse.Update.Kind, _ entry: TableEntry
    ) -> K8sdp_V1_TakeSnapshotResponse.Update {
      .with {
        $0.kind = kind
        $0.table = entry.table
        $0.key = entry.key
        $0.action = entry.action
        $0.arguments = entry.arguments
      }
    }
    switch update {
    case .insert(let entry): return message(.insert, entry)
    case .modify(let entry): return message(.modify, entry)
    case .delete(let table, let key):
      return message(.delete, TableEntry(table: table, key: key, action: ""))
    case .setDefault, .resetDefault, .setGroup: return nil
    }
  }
}
