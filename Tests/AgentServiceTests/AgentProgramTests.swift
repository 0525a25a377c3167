import CNIBackend
import Certificates
import ClusterTesting
import Foundation
import Netlink
import NodeTesting
import Testing

@testable import infraagent

/// The program's command line and what it says of a node that is not as it should be.
@Suite struct AgentProgramTests {
  private static let program = ClusterNode.products.appendingPathComponent("infraagent").path

  /// Runs it to its end, outside of any cluster.
  private func run(
    _ arguments: [String], _ environment: [String] = []
  ) async throws -> Command.Outcome {
    try await Command.run(
      [
        "env", "-u", "KUBERNETES_SERVICE_HOST", "-u", "KUBECONFIG", "-u", "NODE_NAME",
        "HOME=/none",
      ] + environment + [Self.program] + arguments)
  }

  @Test func upstreamsFlags() async throws {
    let other = try await run(["--interfaceType", "sriov", "--interface", "ens1"])
    #expect(other.status == 2 && other.output.contains("interfaceType: is sriov"), "\(other)")
    // Everything is taken up to what is missing.
    let tap = try await run(["--interfaceType", "tap", "--interface", "", "--tapPrefix", "T_"])
    #expect(tap.status == 2 && tap.output.contains("kubeconfig:"), "\(tap)")
    let waiting = try await run([
      "checkManager", "--interfaceType", "tap", "--tapPrefix=T_", "--timeout=10ms", "--set",
      "managerAddr=unix:/none/manager.sock",
    ])
    #expect(waiting.status == 1 && waiting.output.contains("does not serve"), "\(waiting)")

    let options = try AgentOptions.parse([
      "--interfaceType", "TAP", "--tapPrefix", "T_", "--interface", "eth0",
    ])
    let settings = try options.read()
    #expect(settings["tapPrefix"] == "T_" && settings["interface"] == "eth0")
    #expect(settings["interfaceType"] == "TAP")
  }

  @Test func whereThereIsNoKubernetes() async throws {
    let outcome = try await run([])
    #expect(outcome.status == 2)
    for cure in ["/none/.kube/config", "kubeconfig=PATH", "kubeconfig=none"] {
      #expect(outcome.output.contains(cure), "\(outcome)")
    }
    let named = try await run(["--set", "kubeconfig=/none/config"])
    #expect(named.status == 2 && named.output.contains("there is no such file"), "\(named)")
  }

  @Test func aMistypedVariable() async throws {
    let outcome = try await run(["--set", "kubeconfig=none"], ["INFRAAGENT_TAPPREFX=T_"])
    #expect(
      outcome.status == 2 && outcome.output.contains("INFRAAGENT_TAPPREFX: is no setting"),
      "\(outcome)")
  }

  @Test func durations() {
    for (text, seconds) in [
      ("0s", 0), ("30", 30), ("30s", 30), ("1.5s", 1.5), ("500ms", 0.5), ("1h2m3s", 3723),
      ("", nil), ("s", nil), ("1x", nil), ("-1s", nil), ("-1", nil), ("nan", nil),
    ] as [(String, Double?)] {
      #expect(Timeout(argument: text)?.seconds == seconds, "\(text)")
    }
  }

  /// Each kind of failure once, in whatever words and order they come.
  @Test func complaints() {
    var complaint = Complaint()
    #expect(complaint.isEmpty)
    let said =
      ([
        CNIBackendError(.unreachable, "refused"), CNIBackendError(.unreachable, "reset"),
        CNIBackendError(.unreachable, "refused"), CNIBackendError(.misplacedTAP, "not port 1"),
        CNIBackendError(.unreachable, "reset"), NetlinkError(1, "set up", "P4TAP_1"),
      ] as [any Error]).map { complaint.isNew($0) }
    #expect(said == [true, false, false, true, false, true])
    #expect(!complaint.isEmpty)
    complaint.end()
    #expect(complaint.isEmpty)
    let isNew = complaint.isNew(CNIBackendError(.unreachable, "reset"))
    #expect(isNew)
  }

  /// infrap4d and the agent have certificates of two authorities.
  @Test(.enabled(if: NodeTesting.NetworkNamespace.reason == nil))
  func certificatesOfAnotherAuthority() async throws {
    let namespace = try await NodeTesting.NetworkNamespace("node")
    let folder = try TemporaryFolder("agent")
    for side in ["server", "client"] {
      let certificates = "\(folder.path)/\(side)"
      try FileManager.default.createDirectory(
        atPath: certificates, withIntermediateDirectories: true)
      for (name, text) in try CertificateSet(hosts: ["localhost", "127.0.0.1"], now: Date()).files {
        try text.write(toFile: "\(certificates)/\(name)", atomically: true, encoding: .utf8)
      }
    }
    let server = try RunningProgram(
      namespace.command([
        ClusterNode.products.appendingPathComponent("infrap4d").path, "--dataplane", "model",
        "--listen", "127.0.0.1:9339", "--state", "\(folder.path)/infrap4d", "--certs",
        "\(folder.path)/server", "--metrics-address", "",
      ]))
    try await server.wait(for: "listening")
    let agent = try RunningProgram(
      namespace.command([
        Self.program, "--set", "kubeconfig=none", "--set", "felixSocket=none", "--set",
        "Certs=\(folder.path)/client", "--set", "GnmiServer.addr=localhost:9339", "--set",
        "managerAddr=unix:\(folder.path)/manager.sock", "--set", "cniAddr=unix:\(folder.path)/cni",
        "--set", "State=\(folder.path)/state",
      ]))
    let line = try await agent.wait(for: "no host interface")
    #expect(line.contains("certificates of one authority"), "\(line)")
    #expect(line.contains("scripts/tls/gen_certs.sh --renew makes them, then restart both"))
    // It tries twice a second.
    try await Task.sleep(for: .seconds(3))
    Foundation.kill(agent.identifier, SIGTERM)
    let rest = try await agent.rest().filter { $0.contains("no host interface") }
    #expect(rest == [])
    withExtendedLifetime(server) {}
  }
}
