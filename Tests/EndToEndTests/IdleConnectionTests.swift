import ClusterTesting
import Foundation
import Kubernetes
import NodeTesting
import Testing

/// A connection that rests, on the engine's real clock.
///
/// 65 s tell what more would: upstream's pipeline gives every flow the 60 s of profile 2 of its
/// list, traffic or not, and uses none of the longer ones; and here a connection that was not
/// seen as established would have one of the timers of up to 60 s. That the half day of an
/// established one is half a day shows on virtual time, with both dataplanes: *tcp-idle* rests
/// for 11 hours twice, *tcp-idle-expired* for 13. `K8SDP_IDLE_SECONDS` rests for longer.
@Suite(.enabled(if: Requirements.missing == nil, "\(Requirements.missing ?? "")"))
struct IdleConnectionTests {
  private static let rest =
    ProcessInfo.processInfo.environment["K8SDP_IDLE_SECONDS"].flatMap(Int.init) ?? 65

  @Test("A TCP connection that rests goes on", arguments: Requirements.engines)
  func idle(_ engine: String) async throws {
    let node = try await ClusterNode(engine)
    let (client, server) = (try await TestPod(on: node), try await TestPod(on: node))
    let echo = try await Echo.serve(in: server)
    try await node.put("echo", "10.96.0.30", [.init(port: 7)])
    try await node.put(
      endpoints: [.init(addresses: [server.ip])], of: "echo", ports: [.init(port: 7007)])
    try await node.until("the Service answers") {
      try await client.run("curl", "-s", "-m", "1", "telnet://10.96.0.30:7").status == 28
    }
    let connection = try await Echo(
      from: client, to: "10.96.0.30", port: 7, folder: node.folder)
    try await connection.exchange(upTo: 1)
    try await Task.sleep(for: .seconds(Self.rest))
    try await connection.exchange(upTo: 2)
    withExtendedLifetime(echo) {}
  }
}
