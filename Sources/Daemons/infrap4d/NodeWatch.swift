import Core
import Hosting
import Metrics
import P4RuntimeService

/// Takes snapshots for all who ask, however often they do.
///
/// Frames are forwarded meanwhile: what is read of the dataplane is read between two bursts.
actor NodeWatch {
  /// Looked at once for all that ask within this time.
  private static let lifetime = Duration.milliseconds(250)
  /// The kernel is asked for each interface: with a thousand of them that takes its time, in
  /// which no port is made.
  private static let share = 4
  /// Flows are counted this often at most, and for a twentieth of the time.
  private static let censusLifetime = Duration.seconds(3)
  private static let censusShare = 20

  /// So for the pods and Services that the tables describe.
  private static let outlineLifetime = Duration.seconds(2)
  private static let outlineShare = 20
  /// What happened within this time is told as trouble.
  private static let memory = Duration.seconds(60)

  let engine: String
  private let ports: any PortRegistry
  private let host: any DataplaneHost
  private let controller: PipelineController
  private let agent: AgentWatch
  private let heartbeat: Heartbeat
  private var entries: [String: Int] = [:]
  private var counted = 0
  private lazy var snapshot = Recent(for: Self.lifetime, share: Self.share) { await self.take() }
  /// Troubles as they were at some times of the last minute, the oldest first.
  private var troubles: [(at: ContinuousClock.Instant, NodeHealth.Troubles)] = []
  private var outlined = NodeOutline()
  private lazy var outline = Recent(for: Self.outlineLifetime, share: Self.outlineShare) {
    await self.takeOutline()
  }
  private lazy var census = Recent(for: Self.censusLifetime, share: Self.censusShare) {
    await self.takeCensus()
  }

  /// - Parameters:
  ///   - engine: the name of the dataplane.
  ///   - agent: the node's; nil asks none.
  init(
    engine: String, ports: any PortRegistry, host: any DataplaneHost,
    controller: PipelineController, agent: AgentWatch.Agent?
  ) {
    self.agent = AgentWatch(agent)
    heartbeat = Heartbeat(host)
    self.engine = engine
    self.ports = ports
    self.host = host
    self.controller = controller
  }

  /// Looks at what is not asked for when somebody wants to know it, until the task is
  /// cancelled.
  func follow() async {
    async let agent: Void = agent.follow()
    async let thread: Void = heartbeat.follow()
    _ = await (agent, thread)
  }

  /// Of now, or of a moment ago.
  func latest() async -> NodeSnapshot { await snapshot.value() }

  private func take() async -> NodeSnapshot {
    async let ports = ports.ports()
    async let census = census.value()
    // While a request changes the tables, the counts are those from before.
    if let now = await controller.tableEntries() { entries = now }
    let read = try? await host.withDataplane { ($0.contract, $0.counters()) }
    let node = NodeSnapshot(
      ports: await ports,
      pipeline: read.map {
        NodeSnapshot.Pipeline(contract: $0.0, counters: $0.1, entries: entries)
      },
      flows: await census, control: await controller.controlActivity())
    remember(node.troubles)
    return node
  }

  private func remember(_ now: NodeHealth.Troubles) {
    let time = ContinuousClock.now
    // A second apart is close enough, however many ask.
    if troubles.last.map({ time - $0.at > .seconds(1) }) ?? true { troubles.append((time, now)) }
    troubles.removeAll { time - $0.at > Self.memory }
  }

  /// Everything that there is to see.
  func look() async -> (
    node: NodeSnapshot, outline: NodeOutline, health: NodeHealth, agent: AgentWatch.Standing
  ) {
    let node = await latest()
    let outline = await outline.value()
    let standing = await agent.standing
    let health = NodeHealth(
      node, since: troubles.first?.1 ?? node.troubles, agent: standing)
    return (node, outline, health, standing)
  }

  /// What the page shows.
  func status() async -> NodeStatus {
    let (node, outline, health, agent) = await look()
    return NodeStatus(node, outline, health: health, agent: agent, engine: engine)
  }

  private func takeOutline() async -> NodeOutline {
    let connections = await census.value()?.targets ?? [:]
    // While a request changes the tables, the page shows what was before.
    if let now = await controller.withRows({ NodeOutline($0, connections: connections) }) {
      outlined = now
    } else if await controller.tableEntries() == [:] {
      outlined = NodeOutline()
    }
    return outlined
  }

  private func takeCensus() async -> FlowCensus? {
    let census = await FlowCensus.take(host, expected: counted)
    counted = census?.entries.values.reduce(0, +) ?? 0
    return census
  }

  /// Whether frames can be forwarded: there is a pipeline, and its thread answers.
  func isReady() async -> Bool { (try? await host.withDataplane { _ in }) != nil }

  /// Since the thread that forwards frames last answered.
  var silence: Duration { get async { await heartbeat.silence() } }
}
