import Foundation
import NodeTesting
import Testing

/// The program on an interface that comes, goes and comes back.
@Suite(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ARPProxyTests {
  private static let program: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("arp-proxy").path
  }()

  @Test func answersAsLongAsThereIsAnInterface() async throws {
    let (proxy, pod) = (try await NetworkNamespace("arp"), try await NetworkNamespace("pod"))
    let program = try RunningProgram(
      proxy.command(["env", "ARP_PROXY_IF=P4TAP_0", Self.program]))
    try await program.wait(for: "waiting")
    for round in 1...2 {
      try await proxy.exec(
        "ip", "link", "add", "P4TAP_0", "type", "veth", "peer", "name", "eth0", "netns", pod.name)
      try await proxy.exec(
        "ip", "link", "set", "P4TAP_0", "address", "02:00:00:00:00:0\(round)", "up")
      try await pod.exec("ip", "link", "set", "eth0", "up")
      try await pod.exec("ip", "addr", "add", "10.244.0.6/32", "dev", "eth0")
      try await pod.exec("ip", "route", "add", "169.254.1.1", "dev", "eth0", "scope", "link")
      try await program.wait(for: "answering")
      // The kernel asks, and knows by the answer.
      var known = ""
      while !known.contains("02:00:00:00:00:0\(round)") {
        _ = try await Command.run(pod.command(["ping", "-c", "1", "-W", "1", "169.254.1.1"]))
        known = try await pod.exec("ip", "neigh", "show", "169.254.1.1")
      }
      try await proxy.exec("ip", "link", "del", "P4TAP_0")
      try await program.wait(for: "waiting")
    }
  }

  /// SIGHUP, by which the other daemons read their settings anew, does not end it.
  @Test func hangingUp() async throws {
    let namespace = try await NetworkNamespace("arp")
    let program = try RunningProgram(
      namespace.command(["env", "ARP_PROXY_IF=P4TAP_0", Self.program]))
    try await program.wait(for: "waiting")
    kill(program.identifier, SIGHUP)
    // It lives to end as it should.
    kill(program.identifier, SIGTERM)
    try await program.wait(for: "stopped")
  }

  @Test func withoutAnInterfaceItSaysWhatIsMissing() async throws {
    for interface in [[], ["ARP_PROXY_IF="], ["ARP_PROXY_IF=a/b"]] {
      let outcome = try await Command.run(
        ["env", "-u", "ARP_PROXY_IF"] + interface + [Self.program])
      #expect(outcome.status == 2)
      #expect(outcome.output.contains("ARP_PROXY_IF has to name an interface"))
    }
  }
}
