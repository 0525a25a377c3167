import Core
import Hosting
import Logging

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The interfaces and what clients have set of them. A Set takes effect as a whole or
/// not at all; one runs at a time.
public actor Interfaces {
  private let registry: any PortRegistry
  private let journal: (any InterfaceJournal)?
  private let maximumInterfaces: Int
  private let logger: Logger

  private var configs: [String: InterfaceConfig] = [:]
  private var ids: [String: PortID] = [:]
  /// Changes with every Set that changed something.
  private(set) var generation = 0
  /// Ends when the Set before has ended.
  private var lastSet: Task<Void, Never>?
  private var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
  private var nextListener = 0
  private var sample: (statuses: [String: PortStatus], at: ContinuousClock.Instant)?
  private var sampling: Task<[String: PortStatus], Never>?

  /// - Parameters:
  ///   - journal: nil keeps nothing.
  ///   - maximumInterfaces: ports, and interfaces of which clients have set something.
  public init(
    _ registry: any PortRegistry, journal: (any InterfaceJournal)?, maximumInterfaces: Int,
    logger: Logger
  ) {
    self.registry = registry
    self.journal = journal
    self.maximumInterfaces = maximumInterfaces
    self.logger = logger
  }

  /// Takes the ports that are there, and what was set of them and of others.
  ///
  /// - Parameter saved: what the journal was given last.
  public func restore(_ saved: [InterfaceConfig]) async {
    let ports = await registry.ports()
    var saved = Dictionary(saved.map { ($0.name, $0) }) { _, last in last }
    for port in ports {
      let name = port.description.name
      var config = saved.removeValue(forKey: name) ?? InterfaceConfig(name: name)
      config.kind = port.description.kind
      config.mtu = port.description.mtu
      config.netns = port.description.place?.netns
      if let place = port.description.place, place.name != name { config.ifname = place.name }
      config.macAddress = port.description.macAddress
      configs[name] = config
      ids[name] = port.id
    }
    // A port that could not be made again is forgotten with all that was set of it.
    for config in saved.values where config.kind == nil { configs[config.name] = config }
    await journal?.save(Array(configs.values))
  }

  // MARK: Reading

  enum Statuses {
    /// None: what was set, and ids, need none.
    case none
    /// As they are now.
    case current
    /// As they were a moment ago, at most.
    case recent
  }

  func snapshot(_ statuses: Statuses) async -> Snapshot {
    let known: [String: PortStatus] =
      switch statuses {
      case .none: [:]
      case .current: await Self.byName(registry.ports())
      case .recent: await recentStatuses()
      }
    let views = configs.values.map { config in
      InterfaceView(config: config, id: ids[config.name], status: known[config.name])
    }
    return Snapshot(
      interfaces: views.sorted {
        ($0.id ?? .max, $0.config.name) < ($1.id ?? .max, $1.config.name)
      }, generation: generation, timestamp: Self.now())
  }

  /// Nanoseconds since 1970.
  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// A stream that yields after every Set that changed something, and when others use
  /// its continuation; several yields may become one.
  func wakeups() -> (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation) {
    let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let number = nextListener
    nextListener += 1
    listeners[number] = continuation
    continuation.onTermination = { [weak self] _ in
      Task { [weak self] in await self?.forget(number) }
    }
    return (stream, continuation)
  }

  private func forget(_ listener: Int) { listeners[listener] = nil }

  /// Many subscriptions share one look at the kernel's interfaces.
  private func recentStatuses() async -> [String: PortStatus] {
    if let sample, sample.at.duration(to: .now) < .milliseconds(50) { return sample.statuses }
    if let sampling { return await sampling.value }
    let task = Task { [registry] in Self.byName(await registry.ports()) }
    sampling = task
    let statuses = await task.value
    sampling = nil
    sample = (statuses, .now)
    return statuses
  }

  private static func byName(_ ports: [PortStatus]) -> [String: PortStatus] {
    Dictionary(ports.map { ($0.description.name, $0) }) { _, last in last }
  }

  // MARK: Writing

  /// Applies the operations, all of them or none.
  ///
  /// - Parameter edit: makes the draft what it shall be; runs at once.
  /// - Throws: what `edit` throws; `alreadyExists` when another port has the name,
  ///   `failedPrecondition` for what cannot change while the port is there, and what the
  ///   registry throws.
  func set(_ edit: @escaping @Sendable (inout Draft) throws(GNMIError) -> Void) async throws {
    let previous = lastSet
    // Its own task: a caller that goes away leaves no half of a change.
    let task = Task {
      await previous?.value
      try await self.apply(edit)
    }
    lastSet = Task { _ = await task.result }
    try await task.value
  }

  private func apply(
    _ edit: @Sendable (inout Draft) throws(GNMIError) -> Void
  ) async throws {
    let draft = try await Self.edited(
      Draft(configs, maximumInterfaces: maximumInterfaces), edit)
    guard draft.interfaces != configs else { return }
    let plan = try PortPlan(from: configs, to: draft)
    do {
      let made = try await PortTransaction(registry, ids: ids, logger: logger).run(plan)
      await take(draft.interfaces, ids: made)
    } catch let failure as PortTransaction.Failure {
      if !failure.lost.isEmpty {
        await take(
          configs.filter { !failure.lost.contains($0.key) },
          ids: ids.filter { !failure.lost.contains($0.key) })
      }
      throw failure.cause
    }
  }

  /// Not on the actor: a long Set does not keep others from reading.
  private nonisolated static func edited(
    _ draft: Draft, _ edit: @Sendable (inout Draft) throws(GNMIError) -> Void
  ) async throws -> Draft {
    var draft = draft
    try edit(&draft)
    return draft
  }

  private func take(_ configs: [String: InterfaceConfig], ids: [String: PortID]) async {
    self.configs = configs
    self.ids = ids
    generation += 1
    sample = nil
    await journal?.save(Array(configs.values))
    for listener in listeners.values { listener.yield() }
  }
}
