import Kubernetes
import NodeTesting

/// A DNS server in a pod, behind the Service that clusters have for it.
public enum NameServer {
  public static let address = "10.96.0.2"

  /// Starts dnsmasq, and waits until a pod is answered through the Service, by UDP and TCP.
  ///
  /// - Parameters:
  ///   - name: the one that it knows.
  ///   - answer: the address of that.
  /// - Returns: what is to be kept, the pods of a client and of the server.
  public static func serve(
    _ name: String, _ answer: String, on node: ClusterNode
  ) async throws -> (pods: [TestPod], program: RunningProgram) {
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    // dnsmasq closes what it inherits, by which Foundation's Process tells that a program
    // has ended: the shell keeps it.
    let dnsmasq = try server.start(
      "sh", "-c", "setpriv --pdeathsig KILL \"$@\"; exit $?", "sh", "dnsmasq", "--no-daemon",
      "--no-resolv", "--no-hosts", "--port=1053", "--conf-file=/dev/null",
      "--pid-file=", "--address=/\(name)/\(answer)")
    try await node.put(
      "dns", address,
      [.init(name: "dns", protocol: "UDP", port: 53), .init(name: "dns-tcp", port: 53)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "dns",
      ports: [
        .init(name: "dns", protocol: "UDP", port: 1053), .init(name: "dns-tcp", port: 1053),
      ])
    for transport in ["+notcp", "+tcp"] {
      try await node.until("the name is known") {
        try await client.run(
          "dig", "+short", "+time=1", "+tries=1", transport, "@\(address)", name
        ).output == "\(answer)\n"
      }
    }
    return ([client, server], dnsmasq)
  }
}
