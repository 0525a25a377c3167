import CNIBackend
import CNITesting
import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import InfraProtos
import Logging
import NodeTesting
import Testing

/// infra-cni's error codes for what the agent answers.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct PluginCodeTests {
  private struct Answer: Decodable {
    var code: Int
    var msg: String
    var details: String
  }

  /// A manager that answers every call with one error.
  private struct Refusal: PodNetworks {
    var error: any Error
    func create(_ request: Cni_AddRequest, tap: String, mac: MACAddress) throws { throw error }
    func delete(
      _ request: Cni_DelRequest, tap: String, mac: MACAddress, address: IPv4Address
    ) throws {}
  }

  private static let program: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("infra-cni").path
  }()

  /// An agent on a socket.
  private func serve(
    _ node: TestNode, networks: (any PodNetworks)? = nil,
    _ body: @Sendable @escaping (String) async throws -> Void
  ) async throws {
    let socket = node.folder + "/agent.sock"
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let backend = try CNIBackend(
      options: node.options, networks: networks ?? node.manager, ports: node.ports, logger: logger)
    let server = GRPCServer(
      transport: .http2NIOPosix(
        address: .unixDomainSocket(path: socket), transportSecurity: .plaintext),
      services: [CNIService(backend, logger: logger)])
    try await server.serve {
      _ = try await server.listeningAddress
      try await body(socket)
    }
    try? FileManager.default.removeItem(atPath: socket)
  }

  /// The plugin's ADD, as the second of a chain.
  private func add(
    _ node: TestNode, _ socket: String, _ netns: String, _ ip: String
  ) async throws -> Command.Outcome {
    let network = """
      {"cniVersion": "1.0.0", "name": "infra", "type": "infra-cni", "agent": "unix:\(socket)", \
      "dataDir": "\(node.folder)/cni", \
      "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "\(ip)/32"}]}}
      """
    return try await Command.run(
      [
        "env", "CNI_COMMAND=ADD", "CNI_CONTAINERID=c\(ip)", "CNI_NETNS=\(netns)",
        "CNI_IFNAME=eth0", "CNI_PATH=/none", Self.program,
      ], input: network)
  }

  private func refused(
    _ node: TestNode, _ socket: String, _ netns: String, _ ip: String
  ) async throws -> Answer {
    let outcome = try await add(node, socket, netns, ip)
    #expect(outcome.status == 1, "\(outcome)")
    return try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
  }

  @Test func noTAPLeftAndAnAddressInUse() async throws {
    try await TestNode.run(maxPorts: 2) { node in
      try await serve(node) { socket in
        let (first, second) = (try await TestPod("10.244.0.6"), try await TestPod("10.244.0.7"))
        let third = try await TestPod("10.244.0.8")
        for pod in [first, second] {
          let outcome = try await add(node, socket, pod.path, pod.ip)
          #expect(outcome.status == 0, "\(outcome)")
        }
        let full = try await refused(node, socket, third.path, third.ip)
        #expect(full.code == 11 && full.details.contains("--max-ports"), "\(full)")
        #expect(!full.details.contains("try again later"), "\(full)")
        let taken = try await refused(node, socket, third.path, first.ip)
        #expect(taken.code == 100 && taken.details.contains("is the address of"), "\(taken)")
      }
    }
  }

  @Test(arguments: [
    (CNIBackendError.Code.managerAway, 11), (.unreachable, 11), (.noTAP, 11), (.manager, 100),
    (.kernel, 100), (.invalidRequest, 100), (.noNamespace, 3),
  ])
  func whatTheAgentMeetsWith(_ code: CNIBackendError.Code, _ expected: Int) async throws {
    try await TestNode.run { node in
      let networks = Refusal(error: CNIBackendError(code, "for a reason"))
      try await serve(node, networks: networks) { socket in
        let pod = try await TestPod("10.244.0.6")
        let answer = try await refused(node, socket, pod.path, pod.ip)
        #expect(answer.code == expected && answer.details == "for a reason", "\(answer)")
        #expect(try await node.leftovers() == [])
      }
    }
  }

  /// A manager that is not there, and one that does not take a call.
  @Test func theManager() async throws {
    try await TestNode.run { node in
      let socket = node.folder + "/manager.sock"
      func create() async throws {
        try await withGRPCClient(
          transport: .http2NIOPosix(
            target: .unixDomainSocket(path: socket, authority: "localhost"),
            transportSecurity: .plaintext)
        ) { client in
          try await InfraManagerClient(client, patience: .seconds(2))
            .create(.init(), tap: "P4TAP_2", mac: MACAddress(0x0200_0000_0001))
        }
      }
      let away = await #expect(throws: CNIBackendError.self) { try await create() }
      #expect(away?.code == .managerAway, "\(String(describing: away))")
      let server = GRPCServer(
        transport: .http2NIOPosix(
          address: .unixDomainSocket(path: socket), transportSecurity: .plaintext), services: [])
      let serving = Task { try await server.serve() }
      _ = try await server.listeningAddress
      let other = await #expect(throws: CNIBackendError.self) { try await create() }
      #expect(other?.code == .manager, "\(String(describing: other))")
      serving.cancel()
      _ = await serving.result
    }
  }

  @Test func infrap4dIsAway() async throws {
    try await TestNode.run { node in
      try await node.killServer()
      let pod = try await TestPod("10.244.0.6")
      try await serve(node) { socket in
        let answer = try await refused(node, socket, pod.path, pod.ip)
        #expect(answer.code == 11 && answer.details.contains("infrap4d"), "\(answer)")
        #expect(answer.details.contains("see that it runs"), "\(answer)")
      }
      try await node.startServer()
    }
  }

  /// The agent does not see what the plugin sees.
  @Test func noNamespace() async throws {
    try await TestNode.run { node in
      try await serve(node) { socket in
        let pod = try await TestPod("10.244.0.6")
        // Of the plugin's own process.
        let outcome = try await Command.run([
          "sh", "-c",
          """
          exec 9< \(pod.path); exec env CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 \
          CNI_PATH=/none CNI_NETNS=/proc/self/fd/9 \(Self.program) <<'END'
          {"cniVersion": "1.0.0", "name": "infra", "type": "infra-cni", "agent": "unix:\(socket)",
           "dataDir": "\(node.folder)/cni",
           "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.244.0.6/32"}]}}
          END
          """,
        ])
        let answer = try JSONDecoder().decode(Answer.self, from: Data(outcome.output.utf8))
        #expect(outcome.status == 1 && answer.code == 3, "\(outcome)")
      }
    }
  }
}
