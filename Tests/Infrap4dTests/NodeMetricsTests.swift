import Core
import Foundation
import GRPCCore
import NodeTesting
import Testing

/// What `/metrics` of a running server says.
@Suite struct NodeMetricsTests {
  @Test func everyMetricIsDocumented() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    let bare = try await ExposedMetrics.scrape(unix: server.metricsSocket)
    #expect(try MetricsDocument().differences(from: bare, program: "infrap4d") == [])
    #expect(bare["infrap4d_pipeline_installed"] == 0)
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    let full = try await server.scrape { $0["infrap4d_pipeline_installed"] == 1 }
    #expect(try MetricsDocument().differences(from: full, program: "infrap4d") == [])
    // Every reason is there from the beginning.
    for reason in DropReason.allCases {
      #expect(full["infrap4d_dropped_frames_total{reason=\"\(reason.name)\"}"] == 0)
    }
    #expect(try await server.stop() == 0)
  }

  @Test func controllersAreCounted() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([
        try TestController.route(1), try TestController.route(2), try TestController.route(3),
      ])
      await #expect(throws: RPCError.self) {
        try await controller.write([
          try TestController.route(4), try TestController.route(1),
          try TestController.route(9, .delete),
        ])
      }
      let page = try await server.scrape { $0["infrap4d_table_entries{table=\"routes\"}"] == 4 }
      #expect(page["infrap4d_table_capacity_entries{table=\"routes\"}"] == 131_072)
      #expect(page["infrap4d_table_capacity_entries{table=\"flows\"}"] == 8_388_608)
      #expect(page["infrap4d_table_entries{table=\"flows\"}"] == 0)
      #expect(page["infrap4d_table_entries{table=\"services\"}"] == 0)
      #expect(page["infrap4d_p4runtime_streams"] == 1)
      #expect(page["infrap4d_p4runtime_writes_total{result=\"ok\"}"] == 1)
      #expect(page["infrap4d_p4runtime_writes_total{result=\"partial\"}"] == 1)
      #expect(page["infrap4d_p4runtime_updates_total{code=\"OK\"}"] == 4)
      #expect(page["infrap4d_p4runtime_updates_total{code=\"ALREADY_EXISTS\"}"] == 1)
      #expect(page["infrap4d_p4runtime_updates_total{code=\"NOT_FOUND\"}"] == 1)
      #expect(page["infrap4d_p4runtime_pipeline_configs_total{code=\"OK\"}"] == 1)
      #expect(page["infrap4d_p4runtime_write_duration_seconds_count"] == 2)
      #expect(
        page["infrap4d_p4runtime_write_duration_seconds_bucket{le=\"+Inf\"}"] == 2)
    }
    _ = try await server.scrape { $0["infrap4d_p4runtime_streams"] == 0 }
  }

  @Test func theProcessIsDescribed() async throws {
    let server = try ServerProcess()
    let before = Date().timeIntervalSince1970
    try await server.start(["--dataplane", "model"])
    let page = try await ExposedMetrics.scrape(unix: server.metricsSocket)
    #expect(page.samples.keys.contains { $0.hasPrefix("infrap4d_build_info{version=") })
    let start = try #require(page["process_start_time_seconds"])
    // The kernel tells the boot in whole seconds.
    #expect(start > before - 2 && start < Date().timeIntervalSince1970 + 2)
    #expect(try #require(page["process_resident_memory_bytes"]) > 1_000_000)
    #expect(try #require(page["process_open_fds"]) > 3)
    #expect(
      try #require(page["process_max_fds"]) >= #require(page["process_open_fds"]))
  }

  @Test func readiness() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    func status(_ path: String) async throws -> String {
      try await Command.check(
        "curl", "-s", "-w", "%{http_code}", "--unix-socket", server.metricsSocket,
        "http://localhost\(path)")
    }
    #expect(try await status("/healthz") == "ok\n200")
    let waiting = try await status("/readyz")
    #expect(waiting.contains("push one by P4Runtime") && waiting.hasSuffix("503"))
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    #expect(try await status("/readyz") == "ok\n200")
  }

  @Test func emptyIsNowhere() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model", "--metrics-address", ""])
    #expect(!server.log.contains("serving /metrics"))
    #expect(try await server.stop() == 0)
  }

  @Test(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
  func framesOfPods() async throws {
    let node = try await ServiceNode(["--dataplane", "model"])
    let page = try await ExposedMetrics.scrape(unix: node.server.metricsSocket)
    #expect(page["infrap4d_port_up{port=\"\(node.names[2])\",id=\"2\"}"] == 1)
    #expect(page["infrap4d_table_entries{table=\"services\"}"] == 2)
    let received = "infrap4d_port_receive_frames_total{port=\"\(node.names[2])\"}"
    let before = try #require(page[received])
    // Five datagrams to a port that the Service does not have.
    _ = try await node.client.exec(
      "python3", "-c",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for _ in range(5): s.sendto(b"x", ("\(ServiceNode.vip)", 99))
      """)
    let dropped =
      "infrap4d_port_dropped_frames_total{port=\"\(node.names[2])\",reason=\"no_service\"}"
    let after = try await node.server.scrape { ($0[dropped] ?? 0) >= 5 }
    #expect(after["infrap4d_dropped_frames_total{reason=\"no_service\"}"] == after[dropped])
    #expect(try #require(after[received]) >= before + 5)
    // A connection is one, though the table has two entries for it.
    let listener = try await LongConnection.serve(in: node.web, port: 8080)
    let connection = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: node.server.folder)
    let state = "infrap4d_service_connections{state=\"tcpEstablished\"}"
    let connected = try await node.server.scrape { $0[state] == 1 }
    #expect(try #require(connected["infrap4d_table_entries{table=\"flows\"}"]) >= 2)
    #expect(try #require(connected["infrap4d_learned_entries_total{table=\"flows\"}"]) >= 2)
    withExtendedLifetime((listener, connection)) {}
    try await node.stop()
  }
}

extension ServerProcess {
  /// Scrapes until the metrics are as they shall be: they are of a moment ago.
  func scrape(
    until isSo: (ExposedMetrics) throws -> Bool
  ) async throws -> ExposedMetrics {
    while true {
      let page = try await ExposedMetrics.scrape(unix: metricsSocket)
      if try isSo(page) { return page }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
