import Metrics

/// The requests of CNI plugins so far.
public final class CNIActivity: Sendable {
  /// By command, `add` or `del`, and result, `ok` or `error`.
  public let requests = Tally([
    ["add", "ok"], ["add", "error"], ["del", "ok"], ["del", "error"],
  ])
  /// By command.
  public let duration = Histogram()

  public init() {}

  /// Runs a request and counts it.
  func count<Result: Sendable>(
    _ command: String, _ body: () async throws -> Result
  ) async throws -> Result {
    let start = ContinuousClock.now
    defer { duration.observe(ContinuousClock.now - start, command) }
    do {
      let result = try await body()
      requests.add(command, "ok")
      return result
    } catch {
      requests.add(command, "error")
      throw error
    }
  }
}

extension CNIBackend {
  /// What Kubernetes calls the pods, as far as their plugin said: address → namespace and name.
  public func names() async -> [String: String] {
    Dictionary(
      await records.all.map { record in
        let workload = record.request.message.workload
        return ("\(record.request.address)", "\(workload.namespace)/\(workload.pod)")
      }.filter { $0.1.last != "/" }
    ) { first, _ in first }
  }

  /// Pods on record.
  public var count: Int { get async { await records.all.count } }
}
