import CNIBackend
import CNITesting
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import InfraProtos
import Logging
import NodeTesting
import Testing

/// The service over gRPC: whatever is asked, it answers and lives.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ServiceTests {
  typealias Client = Cni_CniDataplane.Client<HTTP2ClientTransport.Posix>

  private func serve(
    _ node: TestNode, _ body: @Sendable @escaping (Client) async throws -> Void
  ) async throws {
    let socket = node.folder + "/agent.sock"
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let server = GRPCServer(
      transport: .http2NIOPosix(
        address: .unixDomainSocket(path: socket), transportSecurity: .plaintext),
      services: [CNIService(try node.backend(), logger: logger)])
    try await server.serve {
      _ = try await server.listeningAddress
      try await withGRPCClient(
        transport: .http2NIOPosix(
          target: .unixDomainSocket(path: socket, authority: "localhost"),
          transportSecurity: .plaintext)
      ) { client in try await body(Client(wrapping: client)) }
    }
  }

  @Test func garbage() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      let changes: [(String, @Sendable (inout Cni_AddRequest) -> Void)] = [
        ("netns is missing", { $0 = Cni_AddRequest() }),
        ("netns is missing", { $0.netns = "" }),
        ("netns is no absolute path", { $0.netns = "pod" }),
        ("netns is no absolute path", { $0.netns = "/run/netns/a\0b" }),
        ("netns is no absolute path", { $0.netns = "/" + String(repeating: "a", count: 5000) }),
        ("No such file", { $0.netns = "/run/netns/none-such" }),
        ("Invalid argument", { $0.netns = "/proc/self/ns/mnt" }),
        ("open namespace", { $0.netns = "/dev/null" }),
        ("is empty", { $0.interfaceName = "" }),
        ("15 is the most", { $0.interfaceName = "a-name-that-is-too-long" }),
        ("slash", { $0.interfaceName = "../eth0" }),
        ("slash", { $0.interfaceName = "eth 0\n" }),
        ("is there already", { $0.interfaceName = "lo" }),
        ("container_ips is empty", { $0.containerIps = [] }),
        ("IPv6", { $0.containerIps = [.with { $0.address = "fd00::6/128" }] }),
        ("2 addresses", { $0.containerIps.append(.with { $0.address = "10.244.0.7/32" }) }),
        ("container_ips has \"\"", { $0.containerIps[0].address = "" }),
        ("10.244.0.6/33", { $0.containerIps[0].address = "10.244.0.6/33" }),
        ("no pod can have", { $0.containerIps[0].address = "0.0.0.0/32" }),
        ("no pod can have", { $0.containerIps[0].address = "224.0.0.1" }),
        ("no pod can have", { $0.containerIps[0].address = "127.0.0.1" }),
        ("no pod can have", { $0.containerIps[0].address = "169.254.1.1" }),
        ("container_routes", { $0.containerRoutes = ["everywhere"] }),
        ("container_routes", { $0.containerRoutes = ["10.0.0.0/40"] }),
        ("settings.mtu is 1", { $0.settings.mtu = 1 }),
      ]
      try await serve(node) { client in
        for (expected, change) in changes {
          var request = pod.add
          change(&request)
          let reply = try await client.add(request)
          #expect(!reply.successful)
          #expect(reply.errorMessage.contains(expected), "\(reply.errorMessage)")
        }
        for request in [
          Cni_DelRequest(), .with { $0.netns = pod.path }, .with { $0.interfaceName = "a/b" },
          .with {
            $0.netns = "relative"
            $0.interfaceName = "eth0"
          },
        ] {
          let reply = try await client.del(request)
          #expect(!reply.successful && !reply.errorMessage.isEmpty)
        }
        #expect(try await node.leftovers() == [])
        // It still serves.
        let reply = try await client.add(pod.add)
        #expect(reply.successful && reply.errorMessage.isEmpty)
        #expect(reply.hostInterfaceName == "P4TAP_2")
        #expect(try await pod.interface()?.contains(reply.containerMac) == true)
        #expect(try await client.del(pod.del).successful)
        #expect(try await node.leftovers() == [])
      }
    }
  }

  /// A caller that hangs up half way leaves no half of a pod.
  @Test func aCallerThatHangsUp() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      try await serve(node) { client in
        let calls = (0..<5).map { _ in Task { try await client.add(pod.add) } }
        for call in calls { call.cancel() }
        for call in calls { _ = await call.result }
        // Comes after whatever they have begun.
        let last = try await client.del(pod.del)
        #expect(last.successful)
        #expect(try await node.leftovers() == [])
      }
    }
  }
}
