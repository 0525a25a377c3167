import Foundation
import NodeTesting
import Testing

/// The daemons of a node, and everything that they say.
@Suite(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct NodeLogTests {
  /// A line, taken apart by a parser that is not ours.
  private struct Line {
    static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    var fields: [String: String]
    var severity: Int

    init(_ text: String) throws {
      fields = try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String], "\(text)")
      severity = try #require(Self.levels.firstIndex(of: fields["level"] ?? ""), "\(text)")
      #expect(fields["message"]?.isEmpty == false, "\(text)")
      #expect(fields["time"]?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
      // Keys are spelled as labels of metrics are.
      for key in fields.keys { #expect(key.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(text)") }
    }
  }

  private final class Node {
    let folder = NSTemporaryDirectory() + "node-\(UUID().uuidString.prefix(8))"
    let namespace: NetworkNamespace
    private(set) var daemons: [(name: String, program: RunningProgram)] = []

    init(level: String, dataplane: String) async throws {
      namespace = try await NetworkNamespace("log")
      try FileManager.default.createDirectory(
        atPath: folder + "/manager", withIntermediateDirectories: true)
      try start(
        "infrap4d",
        [
          "--dataplane", dataplane, "--listen", "unix:\(folder)/p4.sock", "--state", "none",
          "--certs", folder + "/certs", "--metrics-address", "unix:\(folder)/p4-pages.sock",
          "--log-level", level, "--log-format", "json", "--log-file", file("infrap4d"),
        ])
      try start(
        "inframanager",
        settings(level)
          + [
            "GrpcServer.addr=unix:\(folder)/p4.sock", "GnmiServer.addr=unix:\(folder)/p4.sock",
            "InfraManager.addr=unix:\(folder)/manager.sock", "State=\(folder)/manager",
            "InfraManager.metrics-addr=unix:\(folder)/manager-pages.sock",
            "LogFile=\(file("inframanager"))",
          ].flatMap { ["--set", $0] })
      try start(
        "infraagent",
        settings(level)
          + [
            "GnmiServer.addr=unix:\(folder)/p4.sock", "managerAddr=unix:\(folder)/manager.sock",
            "cniAddr=unix:\(folder)/cni.sock", "healthAddr=unix:\(folder)/agent-pages.sock",
            "kubeconfig=none", "felixSocket=\(folder)/felix.sock", "State=\(folder)/agent",
            "LogFile=\(file("infraagent"))",
          ].flatMap { ["--set", $0] })
    }

    deinit {
      for (_, program) in daemons { program.kill() }
      try? FileManager.default.removeItem(atPath: folder)
    }

    func file(_ name: String) -> String { "\(folder)/\(name).log" }

    private func settings(_ level: String) -> [String] {
      ["--set", "LogLevel=\(level)", "--set", "LogFormat=json"]
    }

    private func start(_ name: String, _ arguments: [String]) throws {
      let path = ProgramTests.products.appendingPathComponent(name).path
      daemons.append(
        (name, try RunningProgram(namespace.command([path] + arguments))))
    }

    subscript(name: String) -> RunningProgram {
      get throws { try #require(daemons.first { $0.name == name }).program }
    }

    /// Waits until all of it works.
    func ready() async throws {
      while true {
        for (name, program) in daemons { try #require(program.isRunning, "\(name) has ended") }
        let answer = try await Command.run([
          "curl", "-s", "--unix-socket", folder + "/agent-pages.sock", "-o", "/dev/null", "-w",
          "%{http_code}", "http://node/check",
        ])
        if answer.output == "200" { return }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// Upstream's known issue of 23.01: LogLevel did not apply everywhere.
  @Test(arguments: [("Trace", "model"), ("Warn", "model"), ("Warn", "dpdk")])
  func everyLineObeysTheLevel(_ level: String, _ dataplane: String) async throws {
    let node = try await Node(level: level, dataplane: dataplane)
    try await node.ready()
    // Something to complain about for those that are left.
    try node["infrap4d"].kill()
    let lost = try await node["inframanager"].wait(for: "lost infrap4d")
    let away = try await node["infraagent"].wait(for: "Infra Manager does not serve")
    #expect(try Line(lost).fields["level"] == "warning")
    #expect(try Line(away).fields["level"] == "warning")
    for name in ["infraagent", "inframanager"] {
      try node[name].interrupt()
      _ = try await node[name].rest()
    }
    let least = level == "Trace" ? 0 : 4
    for (name, _) in node.daemons {
      let content =
        (try? String(contentsOfFile: node.file(name), encoding: .utf8)) ?? ""
      let lines = try content.split(separator: "\n").map { try Line(String($0)) }
      #expect(lines.allSatisfy { $0.fields["program"] == name })
      #expect(lines.allSatisfy { $0.severity >= least }, "\(content)")
      if level == "Trace" {
        #expect(lines.contains { $0.severity < 4 }, "\(name) says nothing")
      }
    }
  }

  /// What is printed is what is in the file, down to the last line, and nothing else: no
  /// library writes beside the log.
  @Test(arguments: ["model", "dpdk"]) func nothingIsWrittenBesideTheLog(_ dataplane: String)
    async throws
  {
    let node = try await Node(level: "Debug", dataplane: dataplane)
    try await node.ready()
    for (name, program) in node.daemons.reversed() {
      program.interrupt()
      let printed = try await program.rest()
      let kept = try String(contentsOfFile: node.file(name), encoding: .utf8)
        .split(separator: "\n").map(String.init)
      #expect(printed == kept)
      #expect(printed.last?.contains("stopped") == true)
    }
  }

  @Test func theLevelChangesWhileItRuns() async throws {
    let node = try await Node(level: "Warn", dataplane: "model")
    try await node.ready()
    for (name, program) in node.daemons {
      // Warn, Notice, Info, Debug, Trace; there is no more.
      for wanted in ["notice", "info", "debug", "trace", "trace"] {
        kill(program.identifier, SIGUSR1)
        let line = try Line(try await program.wait(for: "log level"))
        #expect(line.fields["log_level"] == wanted, "\(name)")
      }
      kill(program.identifier, SIGUSR2)
    }
    // Back at Warn the manager says nothing of an end that was asked for.
    try node["inframanager"].interrupt()
    #expect(
      try await node["inframanager"].rest().allSatisfy {
        try Line($0).severity >= 4
          || !$0.contains("stopp")
      })
  }

  /// SIGHUP reads level and format anew; a file that cannot be read changes nothing.
  @Test func settingsAreReadAnew() async throws {
    let folder = NSTemporaryDirectory() + "hup-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = folder + "/inframanager.yaml"
    func write(_ log: String) throws {
      try """
      GrpcServer: {addr: "unix:\(folder)/none.sock"}
      GnmiServer: {addr: "unix:\(folder)/none.sock"}
      InfraManager: {addr: "unix:\(folder)/manager.sock", metrics-addr: ""}
      State: \(folder)/state
      \(log)
      """.write(toFile: file, atomically: true, encoding: .utf8)
    }
    try write("LogLevel: Info")
    let path = ProgramTests.products.appendingPathComponent("inframanager").path
    let manager = try RunningProgram([path, "--config", file])
    try await manager.wait(for: "listening")
    try write("LogLevel: Debug\nLogFormat: json")
    kill(manager.identifier, SIGHUP)
    #expect(
      try Line(try await manager.wait(for: "log level")).fields["log_level"] == "debug")
    try write("LogLevel: Loud")
    kill(manager.identifier, SIGHUP)
    let line = try await manager.wait(for: "settings cannot be read anew")
    #expect(try Line(line).fields["reason"]?.hasPrefix("LogLevel: Loud is none") == true)
    #expect(try Line(try await manager.wait(for: "log level")).fields["log_level"] == "debug")
  }

  /// An agent that cannot reach its cluster says so, and nothing that would let a reader in.
  @Test func credentialsAreNotSaid() async throws {
    let folder = NSTemporaryDirectory() + "secret-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let secret = "s3cr3t-MIGHAgEA"
    try """
    apiVersion: v1
    kind: Config
    current-context: c
    clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
    contexts: [{name: c, context: {cluster: c, user: u}}]
    users: [{name: u, user: {token: "\(secret)"}}]
    """.write(toFile: folder + "/kubeconfig", atomically: true, encoding: .utf8)
    let path = ProgramTests.products.appendingPathComponent("infraagent").path
    let agent = try RunningProgram(
      [path]
        + [
          "kubeconfig=\(folder)/kubeconfig", "State=\(folder)/state", "LogLevel=Trace",
          "cniAddr=unix:\(folder)/cni.sock", "healthAddr=unix:\(folder)/pages.sock",
          "felixSocket=none", "Insecure=true", "GnmiServer.addr=unix:\(folder)/none.sock",
          "managerAddr=unix:\(folder)/none.sock", "LogFile=\(folder)/log",
        ].flatMap { ["--set", $0] })
    try await agent.wait(for: "127.0.0.1:1")
    agent.interrupt()
    _ = try await agent.rest()
    let log = try String(contentsOfFile: folder + "/log", encoding: .utf8)
    #expect(!log.contains(secret))
    #expect(log.contains("kubernetes"))
  }
}
