import CNIBackend
import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import InfraProtos
import Logging
import NodeTesting

/// A node of a test: a namespace with a real infrap4d in it, and a manager that remembers.
public final class TestNode: Sendable {
  public typealias Ports = GNMIPorts<HTTP2ClientTransport.Posix>

  public let namespace: NodeTesting.NetworkNamespace
  public let manager = TestManager()
  public let ports: Ports
  public let folder: String
  private let server: ForwardingServer

  /// Runs a test on a fresh node.
  public static func run(
    maxPorts: Int = 1024, _ body: @Sendable @escaping (TestNode) async throws -> Void
  ) async throws {
    let namespace = try await NodeTesting.NetworkNamespace("node")
    let folder = try TemporaryFolder("cni")
    let server = ForwardingServer(namespace: namespace, folder: folder.path, maxPorts: maxPorts)
    try await server.start()
    let transport = try HTTP2ClientTransport.Posix.http2NIOPosix(
      target: .unixDomainSocket(path: server.socket, authority: "localhost"),
      transportSecurity: .plaintext)
    try await withGRPCClient(transport: transport) { client in
      let node = TestNode(
        namespace: namespace, ports: GNMIPorts(client), folder: folder.path, server: server)
      let outcome: Result<Void, any Error>
      do { outcome = .success(try await body(node)) } catch { outcome = .failure(error) }
      await node.manager.letGo()
      try outcome.get()
    }
    withExtendedLifetime(folder) {}
  }

  private init(
    namespace: NodeTesting.NetworkNamespace, ports: Ports, folder: String, server: ForwardingServer
  ) {
    self.namespace = namespace
    self.ports = ports
    self.folder = folder
    self.server = server
  }

  public var options: CNIBackendOptions {
    var options = CNIBackendOptions()
    options.folder = folder + "/records"
    options.hostNamespace = "/run/netns/\(namespace.name)"
    return options
  }

  /// An agent, as after a start: what another one of this node kept is there.
  public func backend(
    _ change: (inout CNIBackendOptions) -> Void = { _ in }
  ) throws -> CNIBackend {
    var options = options
    change(&options)
    return try CNIBackend(
      options: options, networks: manager, ports: ports,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  public func killServer() async throws { try await server.kill() }
  public func startServer() async throws { try await server.start() }
  public func forgetServerState() throws { try server.forget() }

  /// The interfaces in the node's namespace.
  public func links() async throws -> Set<String> {
    let output = try await namespace.exec("ip", "-o", "link")
    return Set(
      output.split(separator: "\n").compactMap { line in
        line.split(separator: " ").dropFirst().first.map {
          String($0.prefix { !":@".contains($0) })
        }
      }.filter { $0 != "lo" })
  }

  public func recordFiles() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: options.folder).sorted()
  }

  /// What is left of pods, in words: nothing, when each TAP is in the node's namespace and
  /// waits for the next.
  public func leftovers() async throws -> [String] {
    var left = try recordFiles().map { "record \($0)" }
    left += await manager.networks.keys.map { "network \($0)" }
    let ports = try await ports.list()
    left += ports.filter { !$0.isPresent }.map { "port \($0.name) without interface" }
    let links = try await links()
    left += links.symmetricDifference(ports.map(\.name)).map { "link or port \($0) alone" }
    return left.sorted()
  }
}
