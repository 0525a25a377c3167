import Core
import Foundation
import Kubernetes
import Logging

/// Keeps the Infra Manager at what the API server has.
///
/// Nothing is said before Services and slices were both listed: a Service whose slices have
/// not come yet would lose its endpoints. Changes that come while others are made are made
/// together after them.
public actor ServiceSync {
  /// Pauses between attempts when the manager refuses or is away.
  private static let pauses = Duration.milliseconds(200)...Duration.seconds(10)
  /// Service ports, and endpoints, that the manager is told of in one call. A Service may have
  /// more endpoints by itself.
  private static let (callLength, callEndpoints) = (256, 8192)
  /// Calls at the same time: the manager has the next ones while it makes one.
  private static let width = 4

  private let sink: any TranslationSink
  private let memory: ServiceMemory
  private let logger: Logger
  private var world: ServiceWorld
  private var hasServices = false
  private var hasSlices = false
  /// Service ports that the manager has yet to be told of.
  private var pending: Set<ServiceAddress>
  /// Those that failed, until the next attempt.
  private var failed: Set<ServiceAddress> = []
  private var pause = pauses.lowerBound
  private var wasWhole = false
  /// Services of which the log has said that their affinity is not honoured.
  private var warnedOf: Set<ObjectName> = []
  private var counted = SyncActivity()
  /// When that changed which the manager has yet to confirm.
  private var triggers: [Date] = []
  /// Those that come when there are so many are not measured.
  private static let maximumTriggers = 4096
  private let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  /// - Parameters:
  ///   - node: this node's name.
  ///   - memory: which Service ports the manager may have from an earlier life of this agent.
  public init(
    node: String, sink: any TranslationSink, memory: ServiceMemory, logger: Logger
  ) {
    world = ServiceWorld(node: node)
    self.sink = sink
    self.memory = memory
    self.logger = logger
    // What is not a Service any more is found to be without endpoints or ports, and removed.
    pending = memory.services
  }

  /// Whether the manager has once been told everything.
  public var hasSynced: Bool { wasWhole }
  /// Service ports that there are.
  public var count: Int { world.desired.count }

  public func take(_ change: Reflector<Service>.Change) {
    world.apply(change)
    if case .all(let all) = change {
      hasServices = true
      counted.serviceChanges += UInt64(all.count)
    } else {
      counted.serviceChanges += 1
    }
    awake()
  }

  public func take(_ change: Reflector<EndpointSlice>.Change) {
    world.apply(change)
    switch change {
    case .all(let all):
      hasSlices = true
      // When those changed is no measure of how fast this agent is.
      counted.endpointChanges += UInt64(all.count)
    case .changed(let slice):
      counted.endpointChanges += 1
      if let date = slice.changed, triggers.count < Self.maximumTriggers { triggers.append(date) }
    case .deleted: counted.endpointChanges += 1
    }
    awake()
  }

  private func awake() {
    counted.lastQueued = Date().timeIntervalSince1970
    wake.yield()
  }

  /// Whose the Service ports are: `ADDRESS:PORT/TCP` → namespace and name.
  public func names() -> [String: String] {
    Dictionary(uniqueKeysWithValues: world.owners.map { ("\($0.key)", "\($0.value)") })
  }

  /// How it went so far, and how it is.
  public func activity() -> SyncActivity {
    var activity = counted
    activity.servicePorts = world.desired.count
    activity.endpoints = world.desired.values.reduce(0) { $0 + $1.count }
    activity.affine = world.affine.count
    activity.pending = pending.union(failed).count
    return activity
  }

  /// Tells everything again, because the manager may have forgotten it.
  public func resync() {
    pending.formUnion(world.desired.keys)
    pending.formUnion(memory.services)
    retry()
  }

  private func retry() {
    pending.formUnion(failed)
    failed = []
    wake.yield()
  }

  /// Works until the task is cancelled.
  public func run() async {
    for await _ in wakes {
      guard hasServices, hasSlices else { continue }
      let (start, measured) = (ContinuousClock.now, triggers)
      triggers = []
      pending.formUnion(world.settle())
      warnOfAffinity()
      guard !pending.isEmpty else {
        wasWhole = wasWhole || failed.isEmpty
        noteRound(since: start, measured)
        continue
      }
      let batch = pending
      pending = []
      await push(batch)
      noteRound(since: start, measured)
      if failed.isEmpty {
        pause = Self.pauses.lowerBound
        if !wasWhole { logger.notice("Services are programmed", metadata: ["ports": "\(count)"]) }
        wasWhole = true
      } else {
        let now = pause
        pause = min(pause * 2, Self.pauses.upperBound)
        Task {
          try? await Task.sleep(for: now)
          retry()
        }
      }
    }
  }

  private func warnOfAffinity() {
    for service in world.affine.subtracting(warnedOf).sorted() {
      logger.warning(
        "sessionAffinity: ClientIP is not honoured: each connection gets any endpoint",
        metadata: ["service": "\(service)"])
    }
    warnedOf = world.affine
  }

  private func noteRound(since start: ContinuousClock.Instant, _ measured: [Date]) {
    counted.syncDuration.observe(.now - start)
    guard failed.isEmpty else {
      triggers = Array((measured + triggers).prefix(Self.maximumTriggers))
      return
    }
    let now = Date()
    counted.lastSync = now.timeIntervalSince1970
    for date in measured {
      counted.programmingDuration.observe(max(0, now.timeIntervalSince(date)))
    }
  }

  private func push(_ batch: Set<ServiceAddress>) async {
    do {
      // First what may have to be removed some day.
      try memory.add(batch.filter { world.desired[$0] != nil })
    } catch {
      logger.error("Services cannot be remembered", metadata: ["reason": "\(error)"])
      failed.formUnion(batch)
      return
    }
    var removed: Set<ServiceAddress> = []
    var complained = false
    await withTaskGroup(of: ([TranslationChange], [Int: any Error]).self) { group in
      var rest = batch.makeIterator()
      func next() {
        let changes = nextChanges(&rest)
        guard !changes.isEmpty else { return }
        group.addTask { [sink] in (changes, await sink.make(changes)) }
      }
      for _ in 0..<Self.width { next() }
      for await (changes, errors) in group {
        next()
        for (index, change) in changes.enumerated() {
          let error = errors[index]
          count(change, error)
          if let error {
            failed.insert(change.service)
            if !complained {
              logger.warning(
                "a Service is not programmed yet",
                metadata: ["service": "\(change.service)", "reason": "\(error)"])
            }
            complained = true
          } else if case .remove(let service) = change {
            removed.insert(service)
          }
        }
      }
    }
    // A Service that came back meanwhile is pending.
    try? memory.remove(removed)
  }

  /// As many as go into one call.
  private func nextChanges(
    _ rest: inout Set<ServiceAddress>.Iterator
  ) -> [TranslationChange] {
    var changes: [TranslationChange] = []
    var endpoints = 0
    while changes.count < Self.callLength, endpoints < Self.callEndpoints,
      let service = rest.next()
    {
      if let wanted = world.desired[service] {
        changes.append(.put(Translation(service, wanted)))
        endpoints += wanted.count
      } else {
        changes.append(.remove(service))
      }
    }
    return changes
  }

  private func count(_ change: TranslationChange, _ error: (any Error)?) {
    let call =
      switch change {
      case .put: "put"
      case .remove: "remove"
      }
    counted.calls[[call, error == nil ? "ok" : "error"], default: 0] += 1
  }
}
