import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One figure of the benchmark.
public struct BenchResult: Codable, Sendable {
  public var name: String
  public var value: Double
  public var unit: String
  public init(name: String, value: Double, unit: String) {
    self.name = name
    self.value = value
    self.unit = unit
  }
}

/// Measures one dataplane. Figures are CPU time of this process, best of
/// several rounds, without the copying of templates into the batch.
public struct Bench {
  public static let batchSize = 256
  let rounds: Int

  public init(rounds: Int = 5) { self.rounds = rounds }

  /// Packets a second that open `flows` connections, and that belong to them.
  ///
  /// - Parameters:
  ///   - dataplane: programmed for the traffic, no flow known yet.
  ///   - firstTime: when the first SYN comes.
  public func tcp(
    _ dataplane: any Dataplane, traffic: BenchTraffic, packets: Int, firstTime: Timestamp
  ) throws(DataplaneError) -> (newFlows: Double, established: Double) {
    let syn = (0..<traffic.flows).map { traffic.frame(flow: $0, flags: 0x02) }
    let ack = (0..<traffic.flows).map { traffic.frame(flow: $0, flags: 0x10) }
    var batch = FrameBatch(capacity: Self.batchSize, maximumLength: 256)

    let opened = pass(dataplane, &batch, syn, from: 0, count: traffic.flows, firstTime)
    guard opened.forwarded == traffic.flows else {
      throw DataplaneError(
        .unavailable, dataplane.name,
        "only \(opened.forwarded) of \(traffic.flows) connections were forwarded")
    }
    // The handshake ends with the first ACK; the measured packets come after it.
    _ = pass(dataplane, &batch, ack, from: 0, count: traffic.flows, firstTime)

    var best = 0.0
    for round in 0..<rounds {
      let result = pass(dataplane, &batch, ack, from: round * 7919, count: packets, firstTime)
      guard result.forwarded == packets else {
        throw DataplaneError(
          .unavailable, dataplane.name,
          "only \(result.forwarded) of \(packets) established packets were forwarded")
      }
      best = max(best, Double(packets) / result.seconds)
    }
    return (Double(traffic.flows) / opened.seconds, best)
  }

  /// Seconds to program 100,000 rows in one batch.
  public func program100k(_ dataplane: any Dataplane) throws(DataplaneError) -> Double {
    let updates = (0..<100_000).map { i in
      Update.insert(
        TableEntry(
          table: "routes", key: [UInt64(0x0B00_0000 + i)], action: "route_hop",
          arguments: [2, 0x0200_0000_0002, BenchTraffic.gatewayMAC]))
    }
    let start = Self.cpuSeconds()
    try dataplane.apply(updates)
    return Self.cpuSeconds() - start
  }

  private func pass(
    _ dataplane: any Dataplane, _ batch: inout FrameBatch, _ templates: [[UInt8]], from: Int,
    count: Int, _ time: Timestamp
  ) -> (seconds: Double, forwarded: Int) {
    var seconds = 0.0
    var forwarded = 0
    var sent = 0
    while sent < count {
      batch.removeAll()
      let size = min(Self.batchSize, count - sent)
      for i in 0..<size {
        let template = templates[(from + sent + i) % templates.count]
        _ = template.withUnsafeBytes { batch.append($0, port: 2) }
      }
      let start = Self.cpuSeconds()
      dataplane.process(batch, at: time)
      seconds += Self.cpuSeconds() - start
      for i in 0..<size where batch.verdicts[i] & FrameBatch.dropBit == 0 { forwarded += 1 }
      sent += size
    }
    return (seconds, forwarded)
  }

  private static func cpuSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
  }
}
