import Foundation
import NodeTesting

/// How long a node took to be what Kubernetes wants, after a part of it was killed.
///
/// It begins when the program that was killed says in its log that it listens: how long a
/// runtime takes to start it again, and the kernel to load it, is not the node's. It ends when
/// the agent notes that the manager has confirmed everything, and packets have reached a Service
/// that came while the program was away. All times are those of the programs themselves, so
/// that a test which is late, because the machine is busy, measures the same.
public struct Convergence: Sendable, CustomStringConvertible {
  /// What the tests promise.
  public static let limit = 2.0

  public var victim: String
  /// Seconds until the agent noted that all is confirmed, and until the first packet.
  public var confirmed: Double
  public var packets: Double

  public init(victim: String, confirmed: Double, packets: Double) {
    self.victim = victim
    self.confirmed = confirmed
    self.packets = packets
  }

  public var seconds: Double { max(confirmed, packets) }
  public var description: String {
    String(
      format: "after kill -9 of %@: all confirmed within %.3f s, packets within %.3f s", victim,
      confirmed, packets)
  }
}

extension ClusterNode {
  /// Waits until a daemon says that it listens where others call it.
  ///
  /// - Returns: when it said so.
  public func listening(_ daemon: Daemon) async throws -> Date {
    let place = place(of: daemon)
    var line: String?
    try await until("\(daemon.rawValue) listens", isTold: false) {
      line = lines(of: daemon).first { $0.contains("listening") && $0.contains(place) }
      return line != nil
    }
    let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return try format.parse(String((line ?? "").prefix { $0 != " " }))
  }

  /// When the manager had confirmed all Services, as the agent noted it; nil while there is
  /// something to do.
  public func confirmed() async throws -> Date? {
    // It may be away, or not yet listen.
    guard let agent = try? await metrics(of: .infraagent) else { return nil }
    let conditions = agent.samples.filter { $0.key.hasPrefix("infraagent_condition{") }
    let prefix = "kubeproxy_sync_proxy_rules_last_"
    guard !conditions.isEmpty, conditions.values.allSatisfy({ $0 == 1 }),
      agent["infraagent_service_ports_pending"] == 0,
      let last = agent[prefix + "timestamp_seconds"],
      let queued = agent[prefix + "queued_timestamp_seconds"], last >= queued
    else { return nil }
    return Date(timeIntervalSince1970: last)
  }
}
