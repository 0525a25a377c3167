import Core
import Foundation
import Kubernetes
import KubernetesTesting
import Logging
import Netlink
import ServiceSync
import Synchronization
import Testing

@testable import AgentService

/// What the agent makes of its node's object.
@Suite struct ServiceWatchTests {
  private struct NoManager: TranslationSink {
    func make(_ changes: [TranslationChange]) -> [Int: any Error] { [:] }
  }

  /// Keeps what is logged.
  private final class Log: Sendable {
    let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    struct Handler: LogHandler {
      let log: Log
      var metadata: Logger.Metadata = [:]
      var logLevel = Logger.Level.trace

      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }

      func log(event: LogEvent) {
        log.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
      }
    }
  }

  /// The prefixes that the host was told of.
  private actor Routes {
    private(set) var all: [[IPv4Prefix]] = []
    func set(_ prefixes: [IPv4Prefix]) { all.append(prefixes) }
    func reach(_ count: Int) async throws {
      while all.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  private static func node(_ name: String, _ prefix: String) -> Node {
    Node(metadata: .init(name: name), spec: .init(podCIDR: prefix))
  }

  @Test func aNodeThatComesAndGoes() async throws {
    let server = try await APIServer()
    let (log, routes) = (Log(), Routes())
    server.put(Self.node("another", "10.244.9.0/24"))
    let watch = try ServiceWatch(
      try Cluster(kubeconfig: server.kubeconfig), node: "here",
      sync: ServiceSync(
        node: "here", sink: NoManager(), memory: ServiceMemory(nil), logger: log.logger),
      logger: log.logger)
    let following = Task { await watch.run { await routes.set($0) } }
    func reach(_ hasNode: Bool) async throws {
      while watch.hasNode != hasNode { try await Task.sleep(for: .milliseconds(2)) }
    }
    // A name that Kubernetes does not know.
    try await routes.reach(1)
    #expect(!watch.hasNode)
    #expect(await routes.all == [[]])
    let said = log.lines.withLock { $0.filter { $0.contains("no such node") } }
    #expect(said.count == 1 && said[0].contains("nodeName") && said[0].contains("here"))
    // It comes.
    server.put(Self.node("here", "10.244.0.0/24"))
    try await reach(true)
    #expect(await routes.all.last == [try #require(IPv4Prefix("10.244.0.0/24"))])
    // It goes, and its routes with it.
    server.delete(Node.self, ObjectName("", "here"))
    try await reach(false)
    #expect(await routes.all.last == [])
    server.put(Self.node("here", "10.244.1.0/24"))
    try await reach(true)
    #expect(await routes.all.last == [try #require(IPv4Prefix("10.244.1.0/24"))])
    // It goes while nobody looks.
    server.cut()
    server.delete(Node.self, ObjectName("", "here"))
    server.compact()
    try await reach(false)
    #expect(await routes.all.last == [])
    following.cancel()
    await following.value
  }
}
