import Core
import Foundation
import Glibc
import Hosting
import Logging
import StateDirectory

/// The flows of k8s_dp on disk, as they were a moment ago: an established connection goes
/// on after the process was killed. They are of use on this boot of the machine only.
actor FlowStore {
  private enum Kind {
    static let header: UInt8 = 1
    static let flows: UInt8 = 2
  }

  private struct Header: Codable {
    /// Which boot of the machine.
    var boot: String
    /// Milliseconds since then, asleep or not.
    var milliseconds: UInt64
  }

  private static let fileName = "flows.log"
  private static let flowsPerRecord = 1 << 20
  /// Between two bursts of frames, about so many entries are read, and a 64th of the
  /// table at most: the whole of it is more than a hundred megabytes.
  private static let flowsPerTurn = 2048
  private static let leastParts = 64
  /// Reading and writing takes one part of this many of the time.
  private static let share = 20

  private let host: any DataplaneHost
  private let directory: StateDirectory
  private let log: RecordLog
  private let logger: Logger
  /// Entries that were written last, and what the engine had counted then.
  private var written = 0
  private var activity: Counters.Learner?
  private var isFailing = false

  init(_ host: any DataplaneHost, _ directory: StateDirectory, logger: Logger) {
    self.host = host
    self.directory = directory
    self.logger = logger
    log = RecordLog(directory, Self.fileName)
  }

  /// Keeps writing down the flows that there are, until the task is cancelled, and then
  /// once more.
  func follow() async {
    while !Task.isCancelled {
      let start = ContinuousClock.now
      await save()
      let took = ContinuousClock.now - start
      try? await Task.sleep(for: max(.seconds(1), took * Self.share))
    }
    await save()
  }

  /// Writes down the flows that there are.
  private func save() async {
    // What cannot be read whole is not written: the last file is better.
    guard let (header, flows, counted) = try? await read() else { return }
    // No frame asked for a flow: there are none but those that were written.
    guard counted != activity, !flows.isEmpty || written > 0 else { return }
    write(header, flows)
    written = flows.count
    activity = counted
  }

  /// - Throws: when there is no pipeline.
  private func read() async throws -> (Header, [KeptFlow], Counters.Learner?) {
    let header = Self.now()
    let (parts, host) = (max(Self.leastParts, written / Self.flowsPerTurn), host)
    let counted = try await host.withDataplane { $0.counters().learners[K8sDP.flowsTable] }
    guard counted != activity else { return (header, [], counted) }
    var flows: [KeptFlow] = []
    for part in 0..<parts {
      flows += try await host.withDataplane { dataplane in
        guard Self.isOurs(dataplane) else { return [KeptFlow]() }
        let now = dataplane.cycles(at: host.now)
        return dataplane.learnedEntries(at: host.now, part: part, of: parts)
          .compactMap { KeptFlow($0, now: now, clock: dataplane.clock) }
      }
    }
    return (header, flows, counted)
  }

  private func write(_ header: Header, _ flows: [KeptFlow]) {
    do {
      var records = [RecordLog.Record(kind: Kind.header, payload: try JSONEncoder().encode(header))]
      for start in stride(from: 0, to: flows.count, by: Self.flowsPerRecord) {
        let some = flows[start..<min(start + Self.flowsPerRecord, flows.count)]
        var payload = Data(capacity: some.count * KeptFlow.length)
        for flow in some { flow.append(to: &payload) }
        records.append(RecordLog.Record(kind: Kind.flows, payload: payload))
      }
      try log.replace(with: records, isDurable: false)
      isFailing = false
    } catch {
      if !isFailing {
        logger.error(
          "the flows cannot be kept on disk; a restart will end connections",
          metadata: ["reason": "\(error)"])
      }
      isFailing = true
    }
  }

  /// What the last process left, for a dataplane that has its entries already.
  func restoring() -> @Sendable (any Dataplane) -> Void {
    let records = log.read()
    let now = Self.now()
    guard let first = records.first, first.kind == Kind.header,
      let header = try? JSONDecoder().decode(Header.self, from: first.payload),
      header.boot == now.boot, header.milliseconds <= now.milliseconds
    else { return { _ in } }
    let elapsed = now.milliseconds - header.milliseconds
    let flows = records.dropFirst().flatMap { record in
      stride(from: 0, to: record.payload.count, by: KeptFlow.length).compactMap { start in
        KeptFlow(record.payload.dropFirst(start).prefix(KeptFlow.length))
      }
    }
    return { [host, logger] dataplane in
      guard Self.isOurs(dataplane),
        let endpoints = try? dataplane.entries(of: K8sDP.Table.endpoints.name)
      else { return }
      let cycles = dataplane.cycles(at: host.now)
      let entries = K8sDP.keptFlows(
        flows.compactMap { $0.entry(elapsed: elapsed, now: cycles, clock: dataplane.clock) },
        endpoints: endpoints)
      let restored = dataplane.restore(entries)
      logger.notice(
        "flows restored", metadata: ["entries": "\(restored)", "kept": "\(flows.count)"])
    }
  }

  private static func isOurs(_ dataplane: any Dataplane) -> Bool {
    K8sDP.contract.disagreement(with: dataplane.contract) == nil
  }

  private static func now() -> Header {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))
    return Header(
      boot: boot ?? "", milliseconds: UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000)
  }
}
