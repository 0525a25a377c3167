import Certificates
import Foundation
import NodeTesting
import P4RuntimeTesting
import Testing

/// Each way in which a node cannot be looked at: one line, with its cure.
@Suite struct CommandErrorTests {
  private static let commands = [
    ["top", "--once"], ["flows"], ["capture", "-c", "1"], ["why", "10.0.0.1", "10.0.0.2"],
    ["snapshot", "--out", "nowhere-to-be-found"],
  ]

  private static func expect(
    _ outcome: K8sDPTool.Outcome, _ text: String, status: Int32 = 2
  ) {
    #expect(outcome.status == status, "\(outcome)")
    #expect(outcome.out.isEmpty, "\(outcome)")
    #expect(outcome.error.contains(text), "\(outcome)")
    #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome)")
  }

  @Test(arguments: commands) func nobodyListens(_ command: [String]) async throws {
    Self.expect(
      try await K8sDPTool.run(command + ["--from", "infrap4d:unix:/nowhere/sock"]),
      "infrap4d:unix:/nowhere/sock: infrap4d is not reached: nobody answers; see that it runs and")
  }

  @Test func nobodyListensAtATCPPort() async throws {
    let folder = NSTemporaryDirectory() + "certs-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: folder)
    Self.expect(
      try await K8sDPTool.run(
        "top", "--once", "--from", "infrap4d:localhost:1", "--certs", folder),
      "infrap4d:localhost:1: infrap4d is not reached: nobody answers; see that it runs and")
  }

  @Test func certificates() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    let address = "infrap4d:localhost:\(port)"
    let good = try await K8sDPTool.run(
      "top", "--once", "--interval", "300ms", "--from", address, "--certs", server.certificates)
    #expect(good.status == 0 && good.out.contains("infrap4d"), "\(good)")
    Self.expect(
      try await K8sDPTool.run("top", "--once", "--from", address, "--certs", "/nowhere"),
      "/nowhere/ca.crt: is not there; scripts/tls/gen_certs.sh makes it, or say with --certs where")
    // Another authority's.
    let foreign = server.folder + "/foreign"
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: foreign)
    Self.expect(
      try await K8sDPTool.run("flows", "--from", address, "--certs", foreign),
      "; it and this client need certificates of one authority: scripts/tls/gen_certs.sh")
    // Without TLS, to a server that has it; and the other way round.
    Self.expect(
      try await K8sDPTool.run("flows", "--from", address, "--insecure"),
      "it ends the connection before it begins; if it has TLS, connect with it")
    #expect(try await server.stop() == 0)
    let open = try ServerProcess()
    let other = try #require(
      try await open.start(["--dataplane", "model", "--insecure"], listen: ["127.0.0.1:0"]))
    Self.expect(
      try await K8sDPTool.run(
        "flows", "--from", "infrap4d:localhost:\(other)", "--certs", foreign),
      "it speaks no TLS; connect to it without TLS")
    #expect(try await open.stop() == 0)
  }

  @Test func withoutPipeline() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    for command in Self.commands where command[0] != "top" && command[0] != "capture" {
      Self.expect(
        try await K8sDPTool.run(command + ["--from", server.address]),
        "no pipeline is installed; a controller has to push one: is inframanager running?")
    }
    let top = try await K8sDPTool.run("top", "--once", "--from", server.address)
    #expect(top.status == 0 && top.out.contains("red: no pipeline is installed"), "\(top)")
    #expect(try await server.stop() == 0)
  }

  #if DPDK && canImport(DPDKDataplane)
    /// A pipeline of others can be captured on, and not be explained.
    @Test func anotherPipeline() async throws {
      let server = try ServerProcess()
      try await server.start(["--dataplane", "dpdk"])
      try await TestController.run(try TestController.unix(server.socket)) { controller in
        try await controller.push(try Balancer.config())
      }
      Self.expect(
        try await K8sDPTool.run("flows", "--from", server.address),
        "runs another pipeline than this version's k8s_dp; capture works")
      let capture = try await K8sDPTool.run(
        "capture", "--duration", "10ms", "--from", server.address)
      #expect(capture.status == 0 && capture.error.contains("0 frames captured"), "\(capture)")
      #expect(try await server.stop() == 0)
    }
  #endif

  @Test(arguments: [
    (["capture", "-c", "0"], "-c is 1 or more"),
    (["capture", "-s", "300000"], "-s is 0 to 262144"),
    (["capture", "-w", "x", "--json"], "Take one of -w and --json"),
    (["capture", "--duration", "0"], "duration"),
    (["capture", "--duration", "1e9"], "duration"),
    (["capture", "--duration", "1000h"], "duration"),
    (["capture", "-c", "-1"], "-c"),
    (["capture", "tcp", "prot", "80"], "filter \"tcp prot 80\": "),
    (["capture", "ether[0"], "see man pcap-filter"),
    (["capture", "--reason", "bad_luck"], "--reason bad_luck: is none of ttl_expired, multicast"),
    (["top", "--interval", "none"], "interval"),
    (["flows", "--names", "a", "--agent", "b"], "Take one of --names and --agent"),
    (["flows", "--names", "/nowhere/names.json"], "/nowhere/names.json: cannot be read"),
    (["flows", "--agent", "127.0.0.1:1"], "agent at 127.0.0.1:1: does not answer"),
    (["flows", "--protocol", "sctp"], "--protocol sctp: is tcp or udp"),
    (["flows", "--state", "open"], "--state open: is none of tcpReset, udpUnreplied"),
    (["flows", "--client", "nobody"], "nobody: is no IPv4 address, and no names are known"),
    (["flows", "--service", "nothing"], "is neither an IPv4 address nor the name of a Service"),
    (["flows", "--client", "10.0.0.1:99999"], "ends with a colon and a port"),
    (["why", "10.0.0.1"], "Give SRC and DST"),
    (["why", "10.0.0.1", "10.0.0.2:80", "--capture", "x"], "--capture brings its own packet"),
    (["why", "10.0.0.1", "10.0.0.2:80", "--frame", "0"], "--frame is 1 or more"),
    (["why", "--capture", "/nowhere.pcap"], "/nowhere.pcap: No such file or directory"),
    (["snapshot", "--out", "/proc", "--max-size", "0"], "--max-size is 1 to 1000000"),
    (["snapshot", "--out", "/proc"], "/proc: is there already; give --out a folder that is not"),
  ])
  func badOptions(_ arguments: [String], _ cure: String) async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    let outcome = try await K8sDPTool.run(arguments + ["--from", server.address])
    #expect(outcome.status == 2, "\(outcome)")
    #expect(outcome.error.contains(cure), "\(outcome)")
    #expect(outcome.out.isEmpty)
  }

  @Test func helpNamesTheExitCodes() async throws {
    for command in ["capture", "flows", "top", "why", "snapshot"] {
      let help = try await K8sDPTool.run(command, "--help")
      #expect(help.status == 0 && help.out.contains("--from") && help.out.contains("--json"))
      #expect(help.out.contains("Examples:"))
    }
  }
}
