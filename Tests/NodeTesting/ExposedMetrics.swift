import Foundation

/// Metrics in Prometheus's text format, read as strictly as they have to be written.
public struct ExposedMetrics: Sendable {
  public struct Family: Hashable, Sendable {
    public var kind: String
    public var help: String
    /// Labels that samples have, `le` of histograms left out.
    public var labels: Set<String> = []
  }

  public struct Malformed: Error, CustomStringConvertible {
    public var line: String
    public var description: String { "not Prometheus's text format: \(line)" }
  }

  public private(set) var families: [String: Family] = [:]
  /// `name{label="value",…}` → value.
  public private(set) var samples: [String: Double] = [:]

  public init(_ text: String) throws {
    var name = ""
    for line in text.split(separator: "\n").map(String.init) {
      if let match = line.wholeMatch(of: /# HELP ([a-z0-9_]+) (.+)/) {
        name = String(match.1)
        guard families[name] == nil else { throw Malformed(line: "twice: " + line) }
        families[name] = Family(kind: "", help: String(match.2))
      } else if let match = line.wholeMatch(of: /# TYPE ([a-z0-9_]+) (counter|gauge|histogram)/) {
        guard match.1 == name else { throw Malformed(line: line) }
        families[name]?.kind = String(match.2)
      } else if let match = line.wholeMatch(of: /([a-z0-9_]+)(\{.*\})? ([^ ]+)/),
        let value = Double(match.3.replacing("+Inf", with: "inf")), match.1.hasPrefix(name)
      {
        let key = String(match.1) + String(match.2 ?? "")
        guard samples[key] == nil else { throw Malformed(line: "twice: " + line) }
        samples[key] = value
        for label in (match.2 ?? "").matches(of: /[{,]([a-z_]+)="/) where label.1 != "le" {
          families[name]?.labels.insert(String(label.1))
        }
      } else {
        throw Malformed(line: line)
      }
    }
  }

  /// The value of a sample, such as `infrap4d_port_up{port="P4TAP_0",id="0"}`.
  public subscript(sample: String) -> Double? { samples[sample] }

  /// By HTTP at a Unix socket, or at an address.
  public static func scrape(unix socket: String, _ path: String = "/metrics") async throws
    -> ExposedMetrics
  {
    try ExposedMetrics(
      try await Command.check(
        "curl", "-sS", "--fail", "--unix-socket", socket, "http://localhost\(path)"))
  }
}
