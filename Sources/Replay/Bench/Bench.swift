import Core
import SimDataplane

/// `k8sdp bench`: both dataplanes, and another pipeline on the same host code, in
/// one run. What is compared with each other is measured in turn, round by round,
/// so that a noisy machine is noisy for all.
public struct Bench {
  /// Connections of the established traffic: few fit the caches, many do not.
  static let established = [(1_000, ""), (100_000, "-100k-flows")]
  private static let packets = 1_000_000
  private static let newFlows = 50_000
  /// Connections that touch every page of a flow table, so that the kernel's
  /// zeroing of pages is not measured.
  private static let warmFlows = 250_000

  /// Rounds of each measurement; the least disturbed one counts.
  public var rounds: Int
  /// Another pipeline to measure on DPDK, and the file it is from.
  public var against: (spec: PipelineSpec, file: String)?
  /// Hears what is being measured.
  public var progress: (String) -> Void

  public init(
    rounds: Int = 5, against: (spec: PipelineSpec, file: String)? = nil,
    progress: @escaping (String) -> Void = { _ in }
  ) {
    self.rounds = rounds
    self.against = against
    self.progress = progress
  }

  public func run() throws(ReplayError) -> BenchReport {
    var report = BenchReport()
    var subjects: [(name: String, subject: BenchSubject)] = [
      ("model", BenchSubject(SimDataplane()))
    ]
    if DataplaneFactory.hasDPDK {
      progress("building pipelines")
      subjects.append(("dpdk", try engine(try PipelineFile.k8sDP())))
    }
    if let against {
      subjects.append(("against", try engine(against.spec)))
    }
    for (_, subject) in subjects { try subject.program(flows: totalFlows) }

    for (flows, suffix) in Self.established {
      try establishedTraffic(subjects, flows: flows, suffix: suffix, &report)
    }
    for (name, subject) in subjects where name != "against" {
      progress("\(name): new flows")
      _ = try subject.open(flows: Self.warmFlows)
      for _ in 0..<rounds {
        subject.forgetOpened()
        report.add("\(name)/new-flows", try subject.open(flows: Self.newFlows), "flows/s")
      }
    }
    for (name, subject) in subjects where name != "against" {
      progress("\(name): 100,000 entries")
      report.add(
        "\(name)/program-100k-entries", try programSeconds(subject.dataplane), "s", least: true)
    }
    if let against {
      for (_, suffix) in Self.established {
        report.addRatio(
          "dpdk/service-tcp-established\(suffix)", to: "against/service-tcp-established\(suffix)",
          file: against.file)
      }
    }
    return report
  }

  private func engine(_ spec: PipelineSpec) throws(ReplayError) -> BenchSubject {
    BenchSubject(try DataplaneFactory.engine(spec, virtualTime: false))
  }

  private var totalFlows: Int {
    Self.established.map(\.0).reduce(0, +) + Self.warmFlows + rounds * Self.newFlows
  }

  private func establishedTraffic(
    _ subjects: [(name: String, subject: BenchSubject)], flows: Int, suffix: String,
    _ report: inout BenchReport
  ) throws(ReplayError) {
    var traffic: [FrameList] = []
    for (_, subject) in subjects { traffic.append(try subject.establish(flows: flows)) }
    // The first round warms the caches up and does not count.
    for round in 0...rounds {
      for (i, (name, subject)) in subjects.enumerated() {
        progress("\(name): \(flows) established flows, round \(round) of \(rounds)")
        let rate = try subject.forward(traffic[i], packets: Self.packets)
        guard round > 0 else { continue }
        report.add("\(name)/service-tcp-established\(suffix)", rate, "packets/s")
      }
    }
  }

  /// Seconds to program 100,000 rows in one batch.
  private func programSeconds(_ dataplane: any Dataplane) throws(ReplayError) -> Double {
    let updates = (0..<100_000).map { i in
      Update.insert(
        TableEntry(
          table: "endpoints", key: [UInt64(10_000 + i)], action: "endpoint_hop",
          arguments: [
            UInt64(0x0B00_0000 + i), 80, 2, 0x0200_0000_0002, BenchTraffic.gatewayMAC.value,
          ]))
    }
    let start = BenchSubject.processorSeconds()
    do { try dataplane.apply(updates) } catch {
      throw ReplayError(error, dataplane: dataplane.name)
    }
    return BenchSubject.processorSeconds() - start
  }
}
