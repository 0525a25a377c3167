/// Metrics in Prometheus's text format 0.0.4.
///
/// Source: prometheus.io, "Exposition formats", text-based format.
public struct Exposition: Sendable {
  /// What HTTP calls it.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  public private(set) var text = ""

  public init() {}

  /// One value of a metric that has no labels.
  public mutating func add(_ metric: Metric, _ value: Double) { add(metric, [([], value)]) }

  public mutating func add(_ metric: Metric, _ value: some BinaryInteger) {
    add(metric, Double(value))
  }

  /// Values by the labels' values, in the order of ``Metric/labels``. A metric without a value
  /// still has its help and type there.
  public mutating func add(_ metric: Metric, _ samples: [([String], Double)]) {
    head(metric)
    for (labels, value) in samples { line(metric.name, zip(metric.labels, labels), value) }
  }

  /// The same, in the order of the labels' values.
  public mutating func add(_ metric: Metric, _ samples: [[String]: UInt64]) {
    add(
      metric,
      samples.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, Double($0.value)) }
    )
  }

  public mutating func add(_ metric: Metric, _ histogram: Histogram.Value) {
    add(metric, [[]: histogram])
  }

  public mutating func add(_ metric: Metric, _ histograms: [[String]: Histogram.Value]) {
    head(metric)
    for (values, histogram) in histograms.sorted(by: {
      $0.key.lexicographicallyPrecedes($1.key)
    }) {
      let labels = Array(zip(metric.labels, values))
      var sum: UInt64 = 0
      for (bound, count) in zip(histogram.bounds + [.infinity], histogram.counts) {
        sum += count
        line(metric.name + "_bucket", labels + [("le", Self.number(bound))], Double(sum))
      }
      line(metric.name + "_sum", labels, histogram.sum)
      line(metric.name + "_count", labels, Double(sum))
    }
  }

  private mutating func head(_ metric: Metric) {
    text += "# HELP \(metric.name) \(Self.escaped(metric.help, quote: false))\n"
    text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
  }

  private mutating func line(
    _ name: String, _ labels: some Sequence<(String, String)>, _ value: Double
  ) {
    text += name
    let pairs = labels.map { "\($0)=\"\(Self.escaped($1, quote: true))\"" }
    if !pairs.isEmpty { text += "{\(pairs.joined(separator: ","))}" }
    text += " \(Self.number(value))\n"
  }

  /// Backslashes and line feeds, and quotes in the values of labels.
  static func escaped(_ text: String, quote: Bool) -> String {
    var result = ""
    // By scalars: CR LF is one character.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quote: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// As Go's ParseFloat takes it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return Int64(exactly: value).map(String.init) ?? "\(value)"
  }
}
