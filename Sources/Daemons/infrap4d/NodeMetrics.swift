import Core
import Hosting
import Metrics

/// The metrics of infrap4d; `docs/metrics.md` has the same.
enum NodeMetrics {
  private static let pipeline = Metric(
    .gauge, "infrap4d_pipeline_installed", "1 when a pipeline is installed, else 0.")
  private static let ports = Metric(
    .gauge, "infrap4d_port_up", labels: ["port", "id"],
    "1 when the port's interface is up and running, else 0.")
  private static let framesIn = port("receive_frames_total", "Frames from the interface.")
  private static let bytesIn = port(
    "receive_bytes_total", "Bytes from the interface, without frame check sequence.")
  private static let framesOut = port("transmit_frames_total", "Frames to the interface.")
  private static let bytesOut = port(
    "transmit_bytes_total", "Bytes to the interface, without frame check sequence.")
  private static let refused = port(
    "refused_frames_total",
    "Frames that the interface did not take, because its queue was full or it was down.")
  private static let lost = port(
    "receive_lost_frames_total",
    "Frames that the kernel had no room to keep until they were read.")
  private static let errorsIn = port("receive_errors_total", "Reads that failed.")
  private static let errorsOut = port("transmit_errors_total", "Writes that failed.")
  private static let dropped = Metric(
    .counter, "infrap4d_port_dropped_frames_total", labels: ["port", "reason"],
    "Frames that came in by the port and were dropped. Reasons that did not occur are left out.")
  private static let droppedByReason = Metric(
    .counter, "infrap4d_dropped_frames_total", labels: ["reason"],
    "Frames dropped by the dataplane since the pipeline was installed, by every reason.")
  private static let entries = Metric(
    .gauge, "infrap4d_table_entries", labels: ["table"],
    "Entries of a table, those that the pipeline learned included.")
  private static let capacity = Metric(
    .gauge, "infrap4d_table_capacity_entries", labels: ["table"], "The most entries of a table.")
  private static let lookups = Metric(
    .counter, "infrap4d_table_lookups_total", labels: ["table", "result"],
    "Look-ups of a table: hit or miss.")
  private static let learned = Metric(
    .counter, "infrap4d_learned_entries_total", labels: ["table"],
    "Entries that the pipeline learned.")
  private static let learnFailures = Metric(
    .counter, "infrap4d_learn_failures_total", labels: ["table"],
    "Entries that the pipeline could not learn, because their bucket was full.")
  private static let connections = Metric(
    .gauge, "infrap4d_service_connections", labels: ["state"],
    "Connections to Services that k8s_dp keeps, by the timer that runs.")
  private static let writes = Metric(
    .counter, "infrap4d_p4runtime_writes_total", labels: ["result"],
    "Writes: ok, partial (updates of it were refused) or refused (none was attempted).")
  private static let updates = Metric(
    .counter, "infrap4d_p4runtime_updates_total", labels: ["code"],
    "Updates of Writes by the gRPC code of their result.")
  private static let pushes = Metric(
    .counter, "infrap4d_p4runtime_pipeline_configs_total", labels: ["code"],
    "SetForwardingPipelineConfig by the gRPC code of its result.")
  private static let writeDuration = Metric(
    .histogram, "infrap4d_p4runtime_write_duration_seconds",
    "From a Write's arrival to its end, waiting for others included.")
  private static let streams = Metric(
    .gauge, "infrap4d_p4runtime_streams", "P4Runtime streams that are open.")

  private static func port(_ name: String, _ help: String) -> Metric {
    Metric(.counter, "infrap4d_port_" + name, labels: ["port"], help)
  }

  /// - Parameter engine: the name of the dataplane.
  static func text(_ node: NodeSnapshot, engine: String) -> String {
    var page = Exposition()
    ProcessMetrics.add(to: &page, program: "infrap4d", labels: [("dataplane", engine)])
    add(ports: node, to: &page)
    add(pipeline: node, to: &page)
    page.add(writes, node.control.writes)
    page.add(updates, node.control.updates)
    page.add(pushes, node.control.pushes)
    page.add(writeDuration, node.control.writeDuration)
    page.add(streams, node.control.streams)
    return page.text
  }

  private static func add(ports node: NodeSnapshot, to page: inout Exposition) {
    page.add(
      ports, node.ports.map { ([$0.description.name, "\($0.id)"], $0.isUp ? 1 : 0) })
    for (metric, value) in [
      (framesIn, \.framesIn), (bytesIn, \.bytesIn), (framesOut, \.framesOut),
      (bytesOut, \.bytesOut), (refused, \.refused), (lost, \.lost),
      (errorsIn, \.errorsIn),
      (errorsOut, \.errorsOut),
    ] as [(Metric, KeyPath<PortCounters, UInt64>)] {
      page.add(
        metric, node.ports.map { ([$0.description.name], Double($0.counters[keyPath: value])) })
    }
    page.add(
      dropped,
      node.ports.flatMap { port in
        port.counters.dropped.sorted { $0.key < $1.key }.map { reason, count in
          ([port.description.name, reason], Double(count))
        }
      })
  }

  private static func add(pipeline node: NodeSnapshot, to page: inout Exposition) {
    page.add(pipeline, node.pipeline == nil ? 0 : 1)
    let contract = node.pipeline?.contract
    let counters = node.pipeline?.counters ?? Counters()
    page.add(
      droppedByReason,
      DropReason.allCases.map { ([$0.name], Double(counters.dropped[$0] ?? 0)) })
    let learners = (contract?.learners ?? []).map(\.name)
    page.add(
      entries,
      (contract?.tables ?? []).map { ([$0.name], Double(node.pipeline?.entries[$0.name] ?? 0)) }
        + learners.compactMap { name in node.flows?.entries[name].map { ([name], Double($0)) } })
    page.add(
      capacity,
      (contract?.tables ?? []).map { ([$0.name], Double($0.size)) }
        + (contract?.learners ?? []).map { ([$0.name], Double($0.capacity)) })
    let all = counters.tables.mapValues { ($0.hit, $0.miss) }
      .merging(counters.learners.mapValues { ($0.hit, $0.miss) }) { first, _ in first }
    page.add(
      lookups,
      all.sorted { $0.key < $1.key }.flatMap { table, counts in
        [([table, "hit"], Double(counts.0)), ([table, "miss"], Double(counts.1))]
      })
    page.add(
      learned, learners.map { ([$0], Double(counters.learners[$0]?.learned ?? 0)) })
    page.add(
      learnFailures, learners.map { ([$0], Double(counters.learners[$0]?.learnFailed ?? 0)) })
    page.add(
      connections,
      node.flows.map { flows in
        K8sDP.Timer.allCases.filter { $0 != .tcpStale }.map {
          ([$0.name], Double(flows.connections[$0] ?? 0))
        }
      } ?? [])
  }
}

extension Contract.Learner {
  /// The most entries it holds: a bucket has four.
  var capacity: Int { 4 * buckets }
}
