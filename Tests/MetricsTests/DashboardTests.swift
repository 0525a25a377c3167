import Foundation
import NodeTesting
import Testing

/// The dashboard and the alert rules ask for what the daemons have, in PromQL.
@Suite struct DashboardTests {
  private static let folder = MetricsDocument.repository.appendingPathComponent("docs/grafana")
  private static let alerts = folder.appendingPathComponent("alerts.yaml").path
  private static let promtool = Promtool.missing == nil

  private struct Dashboard: Decodable {
    struct Panel: Decodable {
      struct Target: Decodable { var expr: String }
      struct Place: Decodable {
        var x: Int
        var y: Int
        var w: Int
        var h: Int
      }

      var id: Int
      var type: String
      var title: String
      var description: String?
      var gridPos: Place
      var targets: [Target]?
    }

    var panels: [Panel]
  }

  private static func dashboard() throws -> Dashboard {
    try JSONDecoder().decode(
      Dashboard.self,
      from: Data(contentsOf: folder.appendingPathComponent("k8s-infra-offload.json")))
  }

  /// The queries of the dashboard, as Grafana sends them.
  private static func queries() throws -> [String] {
    try dashboard().panels.flatMap { $0.targets ?? [] }.map {
      $0.expr.replacing("$__rate_interval", with: "5m").replacing("$node", with: ".*")
    }
  }

  @Test func everyMetricExists() throws {
    let rules = try String(contentsOfFile: Self.alerts, encoding: .utf8)
      .split(separator: "\n").filter { $0.contains("expr: ") }.map(String.init)
    let queries = try Self.queries()
    #expect(rules.count > 10 && queries.count > 30)
    let rows = try MetricsDocument().sections.values.reduce(into: [:]) {
      $0.merge($1) { first, _ in first }
    }
    for query in rules + queries {
      let names = query.matches(
        of: /\b((?:infrap4d|inframanager|infraagent|kubeproxy|process)_[a-z0-9_]+)/)
      #expect(!names.isEmpty || query.contains("expr: up{"), "\(query)")
      for name in names.map({ String($0.1) }) {
        let parts = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }
        let base = parts.map { String(name.dropLast($0.count)) } ?? name
        let kind = rows[name]?.kind ?? rows[base]?.kind
        #expect(kind != nil, "\(name) is in no table of docs/metrics.md")
        #expect((kind == "histogram") == (parts != nil), "\(name) is a \(kind ?? "")")
        // What counts only means something as a rate.
        if kind != "gauge" { #expect(query.contains("rate(") || query.contains("increase(")) }
      }
    }
  }

  @Test func panelsDoNotOverlap() throws {
    let panels = try Self.dashboard().panels
    #expect(Set(panels.map(\.id)).count == panels.count)
    var taken: Set<[Int]> = []
    for panel in panels {
      let place = panel.gridPos
      #expect(place.x + place.w <= 24)
      for x in place.x..<place.x + place.w {
        for y in place.y..<place.y + place.h {
          #expect(taken.insert([x, y]).inserted, "\(panel.title) covers another")
        }
      }
      #expect(panel.type == "row" || panel.description?.isEmpty == false, "\(panel.title)")
    }
  }

  @Test(.enabled(if: promtool, "\(Promtool.missing ?? "")"))
  func alertRulesAreGood() async throws {
    let outcome = try await Command.run(["promtool", "check", "rules", Self.alerts])
    #expect(outcome.status == 0, "\(outcome)")
  }

  /// Each query as a rule of its own, which promtool parses.
  @Test(.enabled(if: promtool, "\(Promtool.missing ?? "")"))
  func queriesAreGood() async throws {
    let rules = try Self.queries().enumerated().map { index, query in
      "  - record: query:\(index)\n    expr: |\n      \(query)\n"
    }
    let file = NSTemporaryDirectory() + "queries-\(UUID().uuidString.prefix(8)).yaml"
    defer { try? FileManager.default.removeItem(atPath: file) }
    try "groups:\n- name: dashboard\n  rules:\n\(rules.joined())"
      .write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try await Command.run(["promtool", "check", "rules", file])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("\(rules.count) rules found"))
  }

  /// Whoever chooses a node sees all its daemons, which have addresses of their own.
  @Test func nodesAreToldByTheirLabel() throws {
    let alerts = try String(contentsOfFile: Self.alerts, encoding: .utf8)
    #expect(!alerts.contains("instance"))
    for query in try Self.dashboard().panels.flatMap({ $0.targets ?? [] }).map(\.expr) {
      #expect(query.contains(#"node=~"$node""#) && !query.contains("instance"), "\(query)")
    }
    let scrape = try Self.scrapeConfiguration()
    for daemon in ["infrap4d", "inframanager", "infraagent"] {
      #expect(scrape.contains("job_name: \(daemon)\n"))
    }
    func count(_ text: String) -> Int { scrape.components(separatedBy: text).count - 1 }
    #expect(count("targets: [") == 3 && count("labels: {node: ") == 3)
  }

  /// What docs/metrics.md has Prometheus scrape.
  private static func scrapeConfiguration() throws -> String {
    let page = try String(
      contentsOf: MetricsDocument.repository.appendingPathComponent("docs/metrics.md"),
      encoding: .utf8)
    let match = try #require(page.firstMatch(of: /```yaml\n(?<text>scrape_configs:(?s:.*?))```/))
    return String(match.text)
  }

  @Test(.enabled(if: promtool, "\(Promtool.missing ?? "")"))
  func scrapeConfigurationIsGood() async throws {
    let folder = try TemporaryFolder("scrape")
    let file = folder.path + "/prometheus.yaml"
    try Self.scrapeConfiguration().write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try await Command.run(["promtool", "check", "config", file])
    #expect(outcome.status == 0, "\(outcome)")
  }
}

/// Prometheus's tool, which checks rules.
enum Promtool {
  static let missing: String? =
    (try? Command.runNow(["which", "promtool"]))?.status == 0
    ? nil : "not installed: promtool (Debian's package prometheus)"
}
