import Foundation
import Kubernetes
import KubernetesTesting
import NodeTesting
import Synchronization

/// A whole node of a test: a namespace with infrap4d, inframanager and infraagent as
/// processes in it, and an API server that they watch: a real one when KUBEBUILDER_ASSETS
/// names one, else a stand-in.
public final class ClusterNode: Sendable {
  /// What runs on it.
  public enum Daemon: String, CaseIterable, Sendable { case infrap4d, inframanager, infraagent }

  /// The node's address, as in upstream's examples.
  public static let address = "192.168.110.5"
  public static let name = "node-1"
  public static let apiPort = 6443

  public let namespace: NetworkNamespace
  public let api: any TestAPI
  public var folder: String { files.path }
  public let story: Story
  private let files: TemporaryFolder
  private let engine: String
  /// Whose addresses the pods get.
  private let podCIDR: String
  private let programs = Mutex<[Daemon: RunningProgram]>([:])

  /// The folder of the programs that were built with these tests.
  public static let products: URL = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    return bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  }()

  /// Starts everything and waits until the agent says that pods can come.
  ///
  /// - Parameters:
  ///   - engine: of infrap4d's `--dataplane`.
  ///   - podCIDR: of the node.
  ///   - isStarted: false leaves the daemons to ``start(_:)``.
  public init(
    _ engine: String, podCIDR: String = "10.244.0.0/24", isStarted: Bool = true
  ) async throws {
    self.engine = engine
    self.podCIDR = podCIDR
    story = Story(engine)
    namespace = try await NetworkNamespace("node")
    files = try TemporaryFolder("e2e")
    try await namespace.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "wire")
    try await namespace.exec("ip", "addr", "add", "\(Self.address)/24", "dev", "eth0")
    for end in ["eth0", "wire"] { try await namespace.exec("ip", "link", "set", end, "up") }
    let place = APIPlace(
      address: Self.address, in: "/run/netns/\(namespace.name)", port: Self.apiPort,
      names: ["10.96.0.1"])
    let isReal = KubeAPIServer.isWanted
    let start = ContinuousClock.now
    api = isReal ? try await KubeAPIServer(place) : try await APIServer(place)
    if isReal {
      story.tell("kube-apiserver is ready after \(Story.milliseconds(since: start))")
    } else {
      // A real one makes its own Service.
      try await put("kubernetes", "10.96.0.1", [.init(name: "https", port: 443)])
      try await put(
        endpoints: [.init(addresses: [Self.address])], of: "kubernetes",
        ports: [.init(name: "https", port: Self.apiPort)])
    }
    try await api.put(
      Node(metadata: .init(name: Self.name), spec: .init(podCIDR: podCIDR)))
    guard isStarted else { return }
    let begin = ContinuousClock.now
    for daemon in Daemon.allCases { try self.start(daemon) }
    try await untilReady()
    story.tell("the node is ready for pods after \(Story.milliseconds(since: begin))")
  }

  deinit {
    for program in programs.withLock({ $0.values.map(\.self) }) { program.end() }
  }

  // MARK: Daemons

  public func start(_ daemon: Daemon) throws {
    let socket = "unix:\(folder)/infrap4d.sock"
    let settings: [String]
    switch daemon {
    case .infrap4d:
      settings = [
        "--dataplane", engine, "--listen", socket, "--state", "\(folder)/infrap4d",
        "--certs", "\(folder)/certs",
      ]
    case .inframanager:
      settings = Self.set([
        "GrpcServer.addr": socket, "GnmiServer.addr": socket, "State": "\(folder)/manager",
        "InfraManager.addr": "unix:\(folder)/manager.sock",
      ])
    case .infraagent:
      settings = Self.set([
        "GnmiServer.addr": socket, "managerAddr": "unix:\(folder)/manager.sock",
        "State": "\(folder)/agent", "cniAddr": "unix:\(folder)/cni.sock",
        "felixSocket": "\(folder)/felix.sock", "kubeconfig": api.kubeconfig, "nodeName": Self.name,
      ])
    }
    let program = try RunningProgram(
      namespace.command(
        [
          "sh", "-c", "exec \"$@\" >> \(log(daemon)) 2>&1", "sh",
          Self.products.appendingPathComponent(daemon.rawValue).path,
        ] + settings))
    programs.withLock { $0[daemon] = program }
    story.tell("\(daemon.rawValue) starts")
  }

  private func log(_ daemon: Daemon) -> String { "\(folder)/\(daemon.rawValue).log" }

  private static func set(_ settings: [String: String]) -> [String] {
    settings.flatMap { ["--set", "\($0.key)=\($0.value)"] }
  }

  /// SIGKILL, and the end of it.
  public func kill(_ daemon: Daemon) async throws {
    guard let program = programs.withLock({ $0[daemon] }) else { return }
    program.kill()
    story.tell("kill -9 of \(daemon.rawValue)")
    while program.isRunning { try await Task.sleep(for: .milliseconds(5)) }
  }

  public func identifier(of daemon: Daemon) -> Int32 {
    programs.withLock { $0[daemon]?.identifier ?? 0 }
  }

  /// What `/check` answers, or nothing.
  public func check() async throws -> String {
    try await Command.run(
      namespace.command([
        "curl", "-s", "-o", "-", "-w", "%{http_code}", "http://127.0.0.1:50096/check",
      ])
    ).output
  }

  public func untilReady() async throws {
    while try await !check().hasSuffix("200") {
      for (daemon, program) in programs.withLock({ $0 }) where !program.isRunning {
        throw Died(
          daemon: daemon, log: try String(contentsOfFile: log(daemon), encoding: .utf8))
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  public struct Died: Error, CustomStringConvertible {
    public var daemon: Daemon
    public var log: String
    public var description: String { "\(daemon.rawValue) has ended:\n\(log)" }
  }

  // MARK: Pods

  /// The network's configuration, as in /etc/cni/net.d.
  public var network: String {
    """
    {"cniVersion": "1.0.0", "name": "infra", "type": "infra-cni", \
    "agent": "unix:\(folder)/cni.sock", "dataDir": "\(folder)/cni", \
    "ipam": {"type": "host-local", "subnet": "\(podCIDR)", "dataDir": "\(folder)/ipam"}}
    """
  }

  /// Where CNI plugins are: ours, and Debian's.
  public static var pluginPath: String { "\(products.path):/usr/lib/cni" }

  /// Calls the CNI plugin as a runtime does.
  ///
  /// - Parameters:
  ///   - network: instead of ``network``.
  ///   - environment: besides what a runtime sets, or instead of it.
  public func cni(
    _ command: String, _ container: String, netns: String, network: String? = nil,
    environment: [String: String] = [:]
  ) async throws -> Command.Outcome {
    var all = [
      "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_NETNS": netns,
      "CNI_IFNAME": "eth0", "CNI_PATH": Self.pluginPath,
    ]
    all.merge(environment) { $1 }
    return try await Command.run(
      ["env"] + all.map { "\($0.key)=\($0.value)" }
        + [Self.products.appendingPathComponent("infra-cni").path],
      input: network ?? self.network)
  }

  // MARK: Kubernetes

  public func put(
    _ name: String, _ address: String, _ ports: [Service.Port]
  ) async throws {
    story.tell("Service \(name): \(address), ports \(ports.map(\.port))")
    try await api.put(
      Service(
        metadata: .init(name: name, namespace: "default"),
        spec: .init(type: "ClusterIP", clusterIP: address, ports: ports)))
  }

  /// The slice of a Service.
  public func put(
    endpoints: [EndpointSlice.Endpoint], of service: String, ports: [EndpointSlice.Port]
  ) async throws {
    story.tell(
      "endpoints of \(service): "
        + endpoints.map {
          $0.addresses.joined() + ($0.conditions?.terminating == true ? " (terminating)" : "")
        }.joined(separator: ", "))
    try await api.put(
      EndpointSlice(
        metadata: .init(
          name: service + "-1", namespace: "default",
          labels: [EndpointSlice.serviceLabel: service]),
        endpoints: endpoints, ports: ports))
  }

  /// Waits until something is so.
  ///
  /// - Parameter what: for people who read the test and its story.
  public func until(
    _ what: String, _ condition: @Sendable () async throws -> Bool
  ) async throws {
    let start = ContinuousClock.now
    while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
    story.tell("\(what) after \(Story.milliseconds(since: start))")
  }
}
