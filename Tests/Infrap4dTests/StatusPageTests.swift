import Foundation
import NodeTesting
import Testing

/// The page of a node, as a browser shows it.
@Suite(.serialized)
struct StatusPageTests {
  /// A folder to look at the pages in, when it is wanted.
  private static let pictures = ProcessInfo.processInfo.environment["K8SDP_PICTURES"]

  private static func address(_ server: ServerProcess) async throws -> String {
    while true {
      if let match = server.log.firstMatch(of: /at=(127\.0\.0\.1:[0-9]+)/) {
        return "http://\(match.1)/"
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  private struct Status: Decodable {
    struct Health: Decodable {
      var level: String
      var reasons: [String]
    }
    var health: Health
    var agent: String

    /// Asks until the agent is so.
    static func wait(_ server: ServerProcess, _ agent: String) async throws -> Status {
      while true {
        let outcome = try await Command.run([
          "curl", "-s", "--unix-socket", server.metricsSocket, "http://localhost/status.json",
        ])
        let status = try? JSONDecoder().decode(Status.self, from: Data(outcome.output.utf8))
        if let status, status.agent == agent { return status }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// A page that stands for the agent's `/check`.
  private static func agent(_ socket: String, _ conditions: String) throws -> RunningProgram {
    let server = """
      import http.server, os, socketserver, sys
      class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
          body = sys.argv[2].encode()
          self.send_response(200 if self.path == "/check" and b"false" not in body else 500)
          self.send_header("content-length", str(len(body)))
          self.end_headers()
          self.wfile.write(body)
        def log_message(self, *words): pass
        def address_string(self): return "unix"
      if os.path.exists(sys.argv[1]): os.unlink(sys.argv[1])
      with socketserver.UnixStreamServer(sys.argv[1], Page) as server:
        print("serving", flush=True)
        server.serve_forever()
      """
    return try RunningProgram(["python3", "-c", server, socket, conditions])
  }

  /// A node whose agent is well, has lost its manager, and is dead.
  @Test func theAgentIsPartOfTheNode() async throws {
    let folder = try TemporaryFolder("agent")
    let socket = folder.path + "/agent.sock"
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model", "--agent-check", "unix:" + socket])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      func isGreen(_ status: Status) -> Bool {
        status.health.level == "green" && !status.health.reasons.contains { $0.contains("agent") }
      }
      let missing = try await Status.wait(server, "silent")
      #expect(missing.health.level == "amber")
      let well = try Self.agent(socket, #"{"manager": true, "services": true}"#)
      #expect(isGreen(try await Status.wait(server, "well")))
      well.end()
      let unwell = try Self.agent(socket, #"{"manager": false, "services": true}"#)
      let status = try await Status.wait(server, "unwell")
      #expect(status.health.level == "amber")
      #expect(status.health.reasons == ["infraagent can connect no pods: not met: manager"])
      unwell.end()
      let dead = try await Status.wait(server, "silent")
      #expect(dead.health.level == "amber")
      #expect(dead.health.reasons.contains { $0.hasPrefix("infraagent does not answer at unix:") })
      let top = try await K8sDPTool.run("top", "--once", "--from", server.address)
      #expect(top.out.contains("infraagent does not answer at"), "\(top)")
    }
    #expect(try await server.stop() == 0)
  }

  /// Nobody is asked when nobody is named.
  @Test func noAgentIsAsked() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model", "--agent-check", ""])
    _ = try await Status.wait(server, "not asked")
    #expect(try await server.stop() == 0)
  }

  @Test(.enabled(if: Browser.missing == nil, "\(Browser.missing ?? "")"))
  func withoutPipeline() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model", "--metrics-address", "127.0.0.1:0"])
    let page = try await Browser.open(
      try await Self.address(server), picture: Self.pictures.map { $0 + "/red.png" })
    #expect(page.contains(#"<div id="health" class="red""#), "\(page)")
    #expect(page.contains("no pipeline is installed: every frame is dropped"))
    #expect(page.contains("no controller is connected"))
    #expect(page.contains("There is no port."))
    #expect(page.contains("There is no Service."))
  }

  /// Ports, pods, a Service with its endpoint, a connection and drops; red, amber and green.
  @Test(
    .enabled(
      if: Browser.missing == nil && NetworkNamespace.reason == nil,
      "\(Browser.missing ?? NetworkNamespace.reason ?? "")"))
  func aNode() async throws {
    let node = try await ServiceNode([
      "--dataplane", "model", "--metrics-address", "127.0.0.1:0",
    ])
    try await Command.check("ip", "link", "set", node.names[1], "up")
    let address = try await Self.address(node.server)
    let listener = try await LongConnection.serve(in: node.web, port: 8080)
    let connection = try await LongConnection(
      from: node.client, to: ServiceNode.vip, port: 80, folder: node.server.folder)
    _ = try await node.client.exec(
      "python3", "-c",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for _ in range(5): s.sendto(b"x", ("\(ServiceNode.vip)", 99))
      """)
    // Flows are counted every few seconds.
    var json = ""
    while !json.contains(#"{"count":1,"state":"tcpEstablished"}"#)
      || !json.contains("\"\(ServiceNode.vip):80\",\"connections\":1")
    {
      json = try await Command.check("curl", "-sf", address + "status.json")
    }
    let page = try await Browser.open(
      address, picture: Self.pictures.map { $0 + "/amber.png" })
    #expect(page.contains(#"<div id="health" class="amber""#), "\(page)")
    #expect(page.contains("no controller is connected: frames are forwarded, and nothing changes"))
    for text in [
      node.names[2], node.names[3], "10.244.0.6", "10.244.0.7", "02:00:00:00:02:06",
      "\(ServiceNode.vip):80", "10.244.0.7:8080", "TCP, established", "no_service",
      "the Service has no such port",
    ] {
      #expect(page.contains(text), "\(text)")
    }
    // It lives: it has asked more than once, and frames come in all the time.
    let updates = try #require(page.firstMatch(of: /data-updates="([0-9]+)"/))
    #expect(try #require(Int(updates.1)) >= 2)
    #expect(page.contains(/Frames in, a second<\/span><b>[1-9]/))
    #expect(!page.contains("NaN") && !page.contains("undefined"))

    try await TestController.run(
      try TestController.unix(node.server.socket), electionID: .max
    ) { _ in
      let page = try await Browser.open(
        address, picture: Self.pictures.map { $0 + "/green.png" }, isDark: true)
      #expect(page.contains(#"<div id="health" class="green""#), "\(page)")
      #expect(page.contains("frames are forwarded, and a controller is connected"))
    }
    withExtendedLifetime((listener, connection)) {}
    try await node.stop()
  }
}
