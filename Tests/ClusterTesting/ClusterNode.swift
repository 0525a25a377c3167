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
  public enum Daemon: String, CaseIterable, Sendable {
    case infrap4d, inframanager, infraagent

    /// Where it serves its metrics, by default.
    fileprivate var metricsAddress: String {
      switch self {
      case .infrap4d: "127.0.0.1:9560"
      case .inframanager: "127.0.0.1:50097"
      case .infraagent: "127.0.0.1:50096"
      }
    }
  }

  /// Where manager and agent are called.
  public enum Addresses: Sendable {
    /// Sockets in the node's folder.
    case sockets
    /// Their ports of the node, which are the defaults.
    case ports
  }

  /// As whom the agent speaks to Kubernetes.
  public enum Identity: Sendable {
    case kubeconfig
    /// As in a pod: the variables of a container, and the folder that Kubernetes mounts, which
    /// is ``ClusterNode/serviceAccount`` here.
    case serviceAccount
  }

  /// The node's address, as in upstream's examples.
  public static let address = "192.168.110.5"
  public static let name = "node-1"
  public static let apiPort = 6443

  public let namespace: NetworkNamespace
  public let api: any TestAPI
  public var folder: String { files.path }
  /// Of the CNI plugins: in /run, as on a node.
  public var attachments: String { memory.path + "/infra-cni" }
  public var leases: String { memory.path + "/infra-cni/leases" }
  public let story: Story
  private let files: TemporaryFolder
  private let memory: TemporaryFolder
  private let engine: String
  private let addresses: Addresses
  private let identity: Identity
  /// Whose addresses the pods get.
  private let podCIDR: String
  private let programs = Mutex<[Daemon: Running]>([:])

  /// A daemon's life.
  private struct Running {
    var program: RunningProgram
    /// Bytes of the log before it.
    var logBegin: Int
  }

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
  ///   - addresses: of manager and agent.
  ///   - identity: of the agent.
  ///   - isStarted: false leaves the daemons to ``start(_:)``.
  public init(
    _ engine: String, podCIDR: String = "10.244.0.0/24", addresses: Addresses = .sockets,
    identity: Identity = .kubeconfig, isStarted: Bool = true
  ) async throws {
    self.engine = engine
    self.podCIDR = podCIDR
    self.addresses = addresses
    self.identity = identity
    story = Story(engine)
    namespace = try await NetworkNamespace("node")
    files = try TemporaryFolder("e2e")
    memory = try TemporaryFolder("e2e", in: "/run/")
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
    if case .serviceAccount = identity { try writeServiceAccount() }
    guard isStarted else { return }
    let begin = ContinuousClock.now
    for daemon in Daemon.allCases { try self.start(daemon) }
    try await untilReady()
    story.tell("the node is ready for pods after \(Story.milliseconds(since: begin))")
  }

  private func writeServiceAccount() throws {
    let files = FileManager.default
    try files.createDirectory(atPath: serviceAccount, withIntermediateDirectories: true)
    for name in ["ca.crt", "token"] {
      try files.copyItem(atPath: "\(api.folder)/\(name)", toPath: "\(serviceAccount)/\(name)")
    }
    try "kube-system".write(
      toFile: serviceAccount + "/namespace", atomically: true, encoding: .utf8)
  }

  deinit {
    for running in programs.withLock({ $0.values.map(\.self) }) { running.program.end() }
  }

  // MARK: Daemons

  public func start(_ daemon: Daemon) throws {
    let socket = "unix:\(folder)/infrap4d.sock"
    var settings: [String]
    switch daemon {
    case .infrap4d:
      settings = [
        "--dataplane", engine, "--listen", socket, "--state", "\(folder)/infrap4d",
        "--certs", "\(folder)/certs",
      ]
    case .inframanager:
      settings = Self.set([
        "GrpcServer.addr": socket, "GnmiServer.addr": socket, "State": "\(folder)/manager",
      ])
      if case .sockets = addresses {
        settings += Self.set(["InfraManager.addr": "unix:\(folder)/manager.sock"])
      }
    case .infraagent:
      settings = Self.set([
        "GnmiServer.addr": socket, "State": "\(folder)/agent",
        "felixSocket": "\(folder)/felix.sock", "nodeName": Self.name,
      ])
      if case .sockets = addresses {
        settings += Self.set([
          "managerAddr": "unix:\(folder)/manager.sock", "cniAddr": cniAddress,
        ])
      }
      if case .kubeconfig = identity { settings += Self.set(["kubeconfig": api.kubeconfig]) }
    }
    var command = [Self.products.appendingPathComponent(daemon.rawValue).path] + settings
    if daemon == .infraagent, case .serviceAccount = identity { command = inPod(command) }
    let said = try? FileManager.default.attributesOfItem(atPath: log(daemon))[.size] as? Int
    let program = try RunningProgram(
      namespace.command(["sh", "-c", "exec \"$@\" >> \(log(daemon)) 2>&1", "sh"] + command))
    programs.withLock { $0[daemon] = Running(program: program, logBegin: said ?? 0) }
    story.tell("\(daemon.rawValue) starts")
  }

  /// The command with what Kubernetes gives a container, in a mount namespace of its own whose
  /// `/var` has nothing but the service account.
  private func inPod(_ command: [String]) -> [String] {
    let target = "/var/run/secrets/kubernetes.io/serviceaccount"
    let script = """
      mount -t tmpfs tmpfs /var && mkdir -p \(target) && \
      mount --bind \(serviceAccount) \(target) && exec "$@"
      """
    return [
      "env", "KUBERNETES_SERVICE_HOST=\(Self.address)", "KUBERNETES_SERVICE_PORT=\(Self.apiPort)",
      // Namespaces that are made later have to be seen.
      "unshare", "--mount", "--propagation", "slave", "sh", "-c", script, "sh",
    ] + command
  }

  /// The folder that the agent finds as Kubernetes mounts it: with ``Identity/serviceAccount``.
  public var serviceAccount: String { folder + "/serviceaccount" }

  private var cniAddress: String {
    switch addresses {
    case .sockets: "unix:\(folder)/cni.sock"
    case .ports: "127.0.0.1:50001"
    }
  }

  /// The end of the address where a daemon is called.
  func place(of daemon: Daemon) -> String {
    switch (daemon, addresses) {
    case (.infrap4d, _): "infrap4d.sock"
    case (.inframanager, .sockets): "manager.sock"
    case (.inframanager, .ports): ":50002"
    case (.infraagent, .sockets): "cni.sock"
    case (.infraagent, .ports): ":50001"
    }
  }

  private func log(_ daemon: Daemon) -> String { "\(folder)/\(daemon.rawValue).log" }

  /// What a daemon has logged in this life.
  public func lines(of daemon: Daemon) -> [String] {
    let begin = programs.withLock { $0[daemon]?.logBegin ?? 0 }
    let data = FileManager.default.contents(atPath: log(daemon)) ?? Data()
    return String(decoding: data.dropFirst(begin), as: UTF8.self).split(separator: "\n")
      .map(String.init)
  }

  private static func set(_ settings: [String: String]) -> [String] {
    settings.flatMap { ["--set", "\($0.key)=\($0.value)"] }
  }

  /// SIGKILL, and the end of it.
  public func kill(_ daemon: Daemon) async throws {
    guard let program = programs.withLock({ $0[daemon]?.program }) else { return }
    program.kill()
    story.tell("kill -9 of \(daemon.rawValue)")
    while program.isRunning { try await Task.sleep(for: .milliseconds(5)) }
  }

  public func identifier(of daemon: Daemon) -> Int32 {
    programs.withLock { $0[daemon]?.program.identifier ?? 0 }
  }

  /// What `/check` answers, or nothing.
  public func check() async throws -> String {
    try await Command.run(
      namespace.command([
        "curl", "-s", "-o", "-", "-w", "%{http_code}", "http://127.0.0.1:50096/check",
      ])
    ).output
  }

  /// What a daemon measures.
  public func metrics(of daemon: Daemon) async throws -> ExposedMetrics {
    try ExposedMetrics(
      try await namespace.exec(
        "curl", "-sSf", "-m", "10", "http://\(daemon.metricsAddress)/metrics"))
  }

  /// Waits until the agent says that pods can come.
  ///
  /// - Parameter pause: between two looks.
  public func untilReady(
    within limit: Duration = .seconds(60), pause: Duration = .milliseconds(20)
  ) async throws {
    try await until("the node is ready", within: limit, pause: pause, isTold: false) {
      for (daemon, running) in programs.withLock({ $0 }) where !running.program.isRunning {
        throw Died(daemon: daemon, log: lines(of: daemon).joined(separator: "\n"))
      }
      return try await check().hasSuffix("200")
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
    "agent": "\(cniAddress)", "dataDir": "\(attachments)", \
    "ipam": {"type": "host-local", "subnet": "\(podCIDR)", "dataDir": "\(leases)"}}
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
    all.merge(ProcessInfo.processInfo.environment) { here, _ in here }
    let command = [Self.products.appendingPathComponent("infra-cni").path]
    // A port is the node's own; a runtime runs in its namespace.
    return try await Command.run(
      addresses == .ports ? namespace.command(command) : command, input: network ?? self.network,
      environment: all)
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
  /// - Parameters:
  ///   - what: for people who read the test and its story.
  ///   - limit: enough for a machine that is busy with other things; what is not so by then
  ///     will not be.
  ///   - isTold: in the story.
  /// - Throws: ``TookTooLong``.
  public func until(
    _ what: String, within limit: Duration = .seconds(60),
    pause: Duration = .milliseconds(20), isTold: Bool = true,
    _ condition: () async throws -> Bool
  ) async throws {
    let start = ContinuousClock.now
    while try await !condition() {
      guard .now - start < limit else { throw tookTooLong(what, limit) }
      try await Task.sleep(for: pause)
    }
    if isTold { story.tell("\(what) after \(Story.milliseconds(since: start))") }
  }

  private func tookTooLong(_ what: String, _ limit: Duration) -> TookTooLong {
    TookTooLong(
      what: what, limit: limit,
      logs: Daemon.allCases.map { daemon in
        (["\(daemon.rawValue) says last:"] + lines(of: daemon).suffix(5)).joined(separator: "\n")
      }.joined(separator: "\n"))
  }

  /// What a test waited for has not come.
  public struct TookTooLong: Error, CustomStringConvertible {
    public var what: String
    public var limit: Duration
    /// The end of what the daemons say.
    public var logs: String
    public var description: String { "not within \(limit): \(what)\n\(logs)" }
  }
}
