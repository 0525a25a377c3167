/// What a metric is: its name, kind, labels and meaning, as in `docs/metrics.md`.
public struct Metric: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable { case counter, gauge, histogram }

  /// By Prometheus's conventions: base units (`_seconds`, `_bytes`), counters end in `_total`.
  public var name: String
  public var kind: Kind
  /// Of every sample, in this order.
  public var labels: [String]
  public var help: String

  public init(_ kind: Kind, _ name: String, labels: [String] = [], _ help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
  }
}
