import Kubernetes
import Logging
import Metrics
import Netlink
import ServiceSync
import Synchronization

/// What the agent follows in Kubernetes: Services, their slices, and its own node.
public final class ServiceWatch: Sendable {
  private let client: KubernetesClient
  private let node: String
  private let sync: ServiceSync
  private let logger: Logger
  private let knowsNode = Mutex(false)
  /// Lists and watches that failed, by kind.
  public let failures = Tally(kinds)
  /// Times that all objects were listed, by kind.
  public let lists = Tally(kinds)

  private static let kinds = [[Service.kind], [EndpointSlice.kind], [Node.kind]]

  public init(
    _ cluster: Cluster, node: String, sync: ServiceSync, logger: Logger
  ) throws {
    client = try KubernetesClient(cluster)
    self.node = node
    self.sync = sync
    self.logger = logger
  }

  /// Whether the manager has been told of everything that there was.
  public var hasSynced: Bool { get async { await sync.hasSynced } }

  /// Whether Kubernetes has the node, and its prefixes are known.
  public var hasNode: Bool { knowsNode.withLock(\.self) }

  /// What Kubernetes calls Service ports: `ADDRESS:PORT/TCP` → namespace and name.
  public func names() async -> [String: String] { await sync.names() }

  /// How the Services came to the manager so far.
  public func activity() async -> SyncActivity { await sync.activity() }

  private func note(of kind: String) -> @Sendable (ReflectorEvent) -> Void {
    { [failures, lists] event in
      switch event {
      case .listed: lists.add(kind)
      case .failed: failures.add(kind)
      }
    }
  }

  /// Tells the manager everything again.
  public func resync() async { await sync.resync() }

  /// Follows until the task is cancelled.
  ///
  /// - Parameter podPrefixes: called with the node's prefixes of pods whenever it has changed; with
  ///   none when there is no such node any more.
  public func run(_ podPrefixes: @escaping @Sendable ([IPv4Prefix]) async -> Void) async {
    let (client, sync, node, logger) = (client, sync, node, logger)
    await withTaskGroup { group in
      group.addTask { await sync.run() }
      group.addTask {
        await Reflector<Service>(client, logger: logger, note: self.note(of: Service.kind)).run {
          await sync.take($0)
        }
      }
      group.addTask {
        await Reflector<EndpointSlice>(
          client, logger: logger, note: self.note(of: EndpointSlice.kind)
        ).run { await sync.take($0) }
      }
      group.addTask {
        await Reflector<Node>(
          client, selector: "metadata.name=\(node)", logger: logger,
          note: self.note(of: Node.kind)
        ).run {
          switch $0 {
          case .all(let nodes): await self.take(nodes.values.first, podPrefixes)
          case .changed(let node): await self.take(node, podPrefixes)
          case .deleted: await self.take(nil, podPrefixes)
          }
        }
      }
    }
    await client.shutdown()
  }

  /// - Parameter found: nil when Kubernetes has no such node.
  private func take(
    _ found: Node?, _ podPrefixes: @Sendable ([IPv4Prefix]) async -> Void
  ) async {
    if found == nil {
      logger.warning(
        "Kubernetes has no such node; give its name there as nodeName",
        metadata: ["node": "\(node)"])
    }
    // The routes come first: whoever sees the condition met may rely on them.
    await podPrefixes(found?.podCIDRs.compactMap(IPv4Prefix.init) ?? [])
    knowsNode.withLock { $0 = found != nil }
  }
}
