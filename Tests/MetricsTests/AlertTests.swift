import Foundation
import NodeTesting
import Testing

/// Each alert fires when it should, and is silent on a node that is well.
@Suite struct AlertTests {
  /// Series by name and labels, with a value a minute, as promtool's tests have them.
  typealias Series = [(name: String, values: String)]

  struct Case: Sendable {
    var alert: String
    var ill: Series
    /// The same of a node that is well, as near to ill as that goes.
    var well: Series
    /// Of the alerts that fire; every one has the node.
    var labels: [String]
    var severity = "warning"
  }

  private static let cases: [Case] = [
    Case(
      alert: "InfraDaemonDown",
      ill: [
        ("up{job='infrap4d'}", "0x20"), ("up{job='inframanager'}", "0x20"),
        ("up{job='infraagent'}", "0x20"),
      ],
      well: [("up{job='infrap4d'}", "1x20"), ("up{job='another'}", "0x20")],
      labels: ["job: infrap4d", "job: inframanager", "job: infraagent"], severity: "critical"),
    Case(
      alert: "InfraPipelineMissing", ill: [("infrap4d_pipeline_installed", "0x20")],
      well: [("infrap4d_pipeline_installed", "1x13 0 1x5")], labels: [""], severity: "critical"),
    Case(
      alert: "InfraDataplaneNotReady", ill: [("inframanager_dataplane_ready", "0x20")],
      well: [("inframanager_dataplane_ready", "1x20")], labels: [""], severity: "critical"),
    Case(
      alert: "InfraStateNotKept", ill: [("inframanager_state_kept", "0x20")],
      well: [("inframanager_state_kept", "1x13 0 1x5")], labels: [""]),
    Case(
      alert: "InfraConditionNotMet",
      ill: [("infraagent_condition{condition='manager'}", "0x20")],
      well: [("infraagent_condition{condition='manager'}", "1x20")],
      labels: ["condition: manager"], severity: "critical"),
    Case(
      alert: "InfraFlowTableFull",
      ill: [("infrap4d_dropped_frames_total{reason='flow_table_full'}", "0+60x20")],
      well: [
        ("infrap4d_dropped_frames_total{reason='flow_table_full'}", "3x20"),
        ("infrap4d_dropped_frames_total{reason='no_service'}", "0+60x20"),
      ],
      labels: ["reason: flow_table_full"], severity: "critical"),
    Case(
      alert: "InfraLearnFailures",
      ill: [("infrap4d_learn_failures_total{table='flows'}", "0+60x20")],
      well: [("infrap4d_learn_failures_total{table='flows'}", "3x20")],
      labels: ["table: flows"]),
    Case(
      alert: "InfraTableNearlyFull",
      ill: [
        ("infrap4d_table_entries{table='slots'}", "91x20"),
        ("infrap4d_table_capacity_entries{table='slots'}", "100x20"),
      ],
      well: [
        ("infrap4d_table_entries{table='slots'}", "90x20"),
        ("infrap4d_table_capacity_entries{table='slots'}", "100x20"),
      ],
      labels: ["table: slots"]),
    Case(
      alert: "InfraServiceWithoutEndpoint",
      ill: [("infrap4d_dropped_frames_total{reason='no_endpoint'}", "0+60x20")],
      well: [("infrap4d_dropped_frames_total{reason='no_endpoint'}", "3x20")],
      labels: ["reason: no_endpoint"]),
    Case(
      alert: "InfraUnfitFrames",
      ill: [
        ("infrap4d_dropped_frames_total{reason='truncated'}", "0+120x20"),
        ("infrap4d_dropped_frames_total{reason='bad_length'}", "0+120x20"),
        ("infrap4d_dropped_frames_total{reason='bad_offload'}", "0+120x20"),
        ("infrap4d_dropped_frames_total{reason='bad_ip_header'}", "0+120x20"),
        ("infrap4d_dropped_frames_total{reason='bad_port'}", "0+120x20"),
        ("infrap4d_dropped_frames_total{reason='oversized'}", "0+120x20"),
      ],
      well: [
        ("infrap4d_dropped_frames_total{reason='truncated'}", "0+30x20"),
        ("infrap4d_dropped_frames_total{reason='multicast'}", "0+120x20"),
      ],
      labels: [
        "reason: truncated", "reason: bad_length", "reason: bad_offload", "reason: bad_ip_header",
        "reason: bad_port", "reason: oversized",
      ]),
    Case(
      alert: "InfraPortRefusesFrames",
      ill: [("infrap4d_port_refused_frames_total{port='P4TAP_2'}", "0+60x20")],
      well: [("infrap4d_port_refused_frames_total{port='P4TAP_2'}", "3x20")],
      labels: ["port: P4TAP_2"]),
    Case(
      alert: "InfraChangesRefused",
      ill: [("inframanager_changes_total{kind='put',result='resourceExhausted'}", "0+1x20")],
      well: [
        ("inframanager_changes_total{kind='put',result='ok'}", "0+60x20"),
        ("inframanager_changes_total{kind='put',result='resourceExhausted'}", "3x20"),
      ],
      labels: ["kind: put, result: resourceExhausted"]),
    Case(
      alert: "InfraQueueGrows", ill: [("inframanager_queue_depth", "2000x20")],
      // Many at once that are written soon.
      well: [("inframanager_queue_depth", "2000x2 0x1 2000x2 0x1 2000x2 0x1 2000x2 0x10")],
      labels: [""]),
    Case(
      alert: "InfraServicesPending", ill: [("infraagent_service_ports_pending", "2x20")],
      well: [("infraagent_service_ports_pending", "2x2 0x1 2x2 0x1 2x2 0x1 2x2 0x10")],
      labels: [""]),
    Case(
      alert: "InfraSlowProgramming",
      ill: [
        ("kubeproxy_network_programming_duration_seconds_bucket{le='30'}", "0x20"),
        ("kubeproxy_network_programming_duration_seconds_bucket{le='60'}", "0+10x20"),
        ("kubeproxy_network_programming_duration_seconds_bucket{le='+Inf'}", "0+10x20"),
      ],
      well: [
        ("kubeproxy_network_programming_duration_seconds_bucket{le='1'}", "0+10x20"),
        ("kubeproxy_network_programming_duration_seconds_bucket{le='+Inf'}", "0+10x20"),
      ],
      labels: [""]),
    Case(
      alert: "InfraWatchFailing",
      ill: [("infraagent_watch_failures_total{kind='services'}", "0+1x20")],
      well: [("infraagent_watch_failures_total{kind='services'}", "0 1 2 3x17")],
      labels: ["kind: services"]),
    Case(
      alert: "InfraCNIFailing",
      ill: [("infraagent_cni_requests_total{command='add',result='error'}", "0+1x20")],
      well: [
        ("infraagent_cni_requests_total{command='add',result='ok'}", "0+60x20"),
        ("infraagent_cni_requests_total{command='add',result='error'}", "1x20"),
      ],
      labels: ["command: add, result: error"]),
    Case(
      alert: "InfraFilesNearlyExhausted",
      ill: [
        ("process_open_fds{job='infraagent'}", "950x20"),
        ("process_max_fds{job='infraagent'}", "1000x20"),
      ],
      well: [
        ("process_open_fds{job='infraagent'}", "900x20"),
        ("process_max_fds{job='infraagent'}", "1000x20"),
        ("process_open_fds{job='another'}", "950x20"),
        ("process_max_fds{job='another'}", "1000x20"),
      ],
      labels: ["job: infraagent"]),
  ]

  private static let file = MetricsDocument.repository
    .appendingPathComponent("docs/grafana/alerts.yaml")

  private static func lines() throws -> [Substring] {
    try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  private static func names() throws -> [String] {
    try lines().compactMap { $0.firstMatch(of: /- alert: (\w+)/).map { String($0.1) } }
  }

  /// An alert that is new is shown to fire and to be silent, or it fails here.
  @Test func everyAlertHasACase() throws {
    let names = try Self.names()
    #expect(!names.isEmpty && Self.cases.map(\.alert).sorted() == names.sorted())
    for one in Self.cases {
      #expect(!one.ill.isEmpty && !one.well.isEmpty && !one.labels.isEmpty, "\(one.alert)")
    }
  }

  @Test(.enabled(if: Promtool.missing == nil, "\(Promtool.missing ?? "")"))
  func alertsFireAndAreSilent() async throws {
    let folder = try TemporaryFolder("alerts")
    // Of the annotations, which are words, the rules' own: promtool compares them, too.
    let rules = try Self.lines()
      .filter { !$0.contains(/^ +(annotations|summary|description):/) }.joined(separator: "\n")
    try rules.write(toFile: folder.path + "/rules.yaml", atomically: true, encoding: .utf8)
    var tests = ""
    for one in Self.cases {
      tests += Self.test(one.ill, [one])
      tests += Self.test(one.well, [])
    }
    let file = folder.path + "/tests.yaml"
    try "rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n\(tests)"
      .write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try await Command.run(["promtool", "test", "rules", file])
    #expect(outcome.status == 0, "\(outcome)")
  }

  /// - Parameter firing: no other alert fires.
  private static func test(_ series: Series, _ firing: [Case]) -> String {
    var text = "- interval: 1m\n  input_series:\n"
    for (name, values) in series {
      text += "  - series: \(labelled(name))\n    values: '\(values)'\n"
    }
    text += "  alert_rule_test:\n"
    for alert in cases.map(\.alert) {
      let expected = firing.first { $0.alert == alert }
      text += "  - eval_time: 15m\n    alertname: \(alert)\n    exp_alerts:"
      text += expected == nil ? " []\n" : "\n"
      for labels in expected?.labels ?? [] {
        let all = ["severity: \(expected?.severity ?? "")", "node: n", labels]
          .filter { !$0.isEmpty }.joined(separator: ", ")
        text += "    - exp_labels: {\(all)}\n"
      }
    }
    return text
  }

  /// A series of a node, quoted for YAML.
  private static func labelled(_ name: String) -> String {
    let parts = name.split(separator: "{", maxSplits: 1)
    let more = parts.count > 1 ? "," + parts[1].dropLast() : ""
    return "'\(parts[0]){node=\"n\"\(more.replacing("'", with: "\""))}'"
  }
}
