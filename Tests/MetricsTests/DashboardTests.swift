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

  /// Alerts fire when they should, and are silent on a node that is well.
  @Test(.enabled(if: promtool, "\(Promtool.missing ?? "")"))
  func alertsFire() async throws {
    let file = NSTemporaryDirectory() + "alerts-\(UUID().uuidString.prefix(8)).yaml"
    defer { try? FileManager.default.removeItem(atPath: file) }
    func test(_ series: [(String, String)], _ firing: [(String, String)]) -> String {
      var text = "- interval: 1m\n  input_series:\n"
      for (name, values) in series { text += "  - {series: '\(name)', values: '\(values)'}\n" }
      text += "  alert_rule_test:\n"
      for alert in Self.names {
        text += "  - eval_time: 15m\n    alertname: \(alert)\n    exp_alerts:"
        let expected = firing.filter { $0.0 == alert }
        text += expected.isEmpty ? " []\n" : "\n"
        for (_, labels) in expected { text += "    - exp_labels: {\(labels)}\n" }
      }
      return text
    }
    let node = #"instance="n""#
    let well = [
      ("up{job=\"infrap4d\",\(node)}", "1x20"),
      ("infrap4d_pipeline_installed{\(node)}", "1x20"),
      ("inframanager_dataplane_ready{\(node)}", "1x20"),
      ("infraagent_condition{condition=\"manager\",\(node)}", "1x20"),
      ("infrap4d_table_entries{table=\"slots\",\(node)}", "50x20"),
      ("infrap4d_table_capacity_entries{table=\"slots\",\(node)}", "100x20"),
      ("infrap4d_dropped_frames_total{reason=\"flow_table_full\",\(node)}", "3x20"),
      ("infrap4d_learn_failures_total{table=\"flows\",\(node)}", "3x20"),
      ("infraagent_service_ports_pending{\(node)}", "0x20"),
      ("kubeproxy_network_programming_duration_seconds_bucket{le=\"1\",\(node)}", "0+10x20"),
      ("kubeproxy_network_programming_duration_seconds_bucket{le=\"+Inf\",\(node)}", "0+10x20"),
    ]
    let ill = [
      ("up{job=\"infrap4d\",\(node)}", "0x20"),
      ("infrap4d_pipeline_installed{\(node)}", "0x20"),
      ("inframanager_dataplane_ready{\(node)}", "0x20"),
      ("infraagent_condition{condition=\"manager\",\(node)}", "0x20"),
      ("infrap4d_table_entries{table=\"slots\",\(node)}", "95x20"),
      ("infrap4d_table_capacity_entries{table=\"slots\",\(node)}", "100x20"),
      ("infrap4d_dropped_frames_total{reason=\"flow_table_full\",\(node)}", "0+60x20"),
      ("infrap4d_learn_failures_total{table=\"flows\",\(node)}", "0+60x20"),
      ("infraagent_service_ports_pending{\(node)}", "2x20"),
      ("kubeproxy_network_programming_duration_seconds_bucket{le=\"30\",\(node)}", "0x20"),
      ("kubeproxy_network_programming_duration_seconds_bucket{le=\"60\",\(node)}", "0+10x20"),
      ("kubeproxy_network_programming_duration_seconds_bucket{le=\"+Inf\",\(node)}", "0+10x20"),
    ]
    func labels(_ severity: String, _ more: String = "") -> String {
      "severity: \(severity), instance: n\(more)"
    }
    let tests = [
      test(well, []),
      test(
        ill,
        [
          ("InfraDaemonDown", labels("critical", ", job: infrap4d")),
          ("InfraPipelineMissing", labels("critical")),
          ("InfraDataplaneNotReady", labels("critical")),
          ("InfraConditionNotMet", labels("critical", ", condition: manager")),
          ("InfraFlowTableFull", labels("critical", ", reason: flow_table_full")),
          ("InfraLearnFailures", labels("warning", ", table: flows")),
          ("InfraTableNearlyFull", labels("warning", ", table: slots")),
          ("InfraServicesPending", labels("warning")),
          ("InfraSlowProgramming", labels("warning")),
        ]),
    ]
    // Of the annotations, which are words, the rules' own: promtool compares them, too.
    let rules = try String(contentsOfFile: Self.alerts, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.contains(/^ +(annotations|summary|description):/) }.joined(separator: "\n")
    let rulesFile = file + ".rules"
    defer { try? FileManager.default.removeItem(atPath: rulesFile) }
    try rules.write(toFile: rulesFile, atomically: true, encoding: .utf8)
    try "rule_files: [\(rulesFile)]\nevaluation_interval: 1m\ntests:\n\(tests.joined())"
      .write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try await Command.run(["promtool", "test", "rules", file])
    #expect(outcome.status == 0, "\(outcome)")
  }

  private static let names = [
    "InfraDaemonDown", "InfraPipelineMissing", "InfraDataplaneNotReady", "InfraConditionNotMet",
    "InfraFlowTableFull", "InfraLearnFailures", "InfraTableNearlyFull", "InfraServicesPending",
    "InfraSlowProgramming",
  ]
}

/// Prometheus's tool, which checks rules.
enum Promtool {
  static let missing: String? =
    (try? Command.runNow(["which", "promtool"]))?.status == 0
    ? nil : "not installed: promtool (Debian's package prometheus)"
}
