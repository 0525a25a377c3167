import GNMIProtos

/// One subscription: what its client knows, and what it is told next.
struct Watch {
  enum Trigger {
    /// When a value changes.
    case change
    /// Every so often; those that did not change may be left out.
    case sample(Duration, suppressRedundant: Bool)
  }

  typealias Instant = ContinuousClock.Instant

  private let pattern: PathPattern
  let roles: Set<SchemaNode.Role>
  private let trigger: Trigger
  private let heartbeat: Duration?
  private let statusPoll: Duration
  /// Whether the kernel has to be asked for its leaves.
  let needsStatus: Bool

  private var known: [[PathStep]: LeafValue] = [:]
  private var generation: Int?
  private var nextHeartbeat: Instant?
  /// When it has to be looked at, whatever happens; nil is never.
  private(set) var deadline: Instant?

  init(
    _ pattern: PathPattern, roles: Set<SchemaNode.Role>, trigger: Trigger, heartbeat: Duration?,
    statusPoll: Duration
  ) {
    self.pattern = pattern
    self.roles = roles
    self.trigger = trigger
    self.heartbeat = heartbeat
    self.statusPoll = statusPoll
    needsStatus = !roles.isDisjoint(with: SchemaNode.Role.ofStatus)
  }

  /// Whether there may be something to tell.
  func isDue(at now: Instant, generation: Int) -> Bool {
    if let deadline, deadline <= now { return true }
    switch trigger {
    case .change: return generation != self.generation
    case .sample: return self.generation == nil
    }
  }

  /// What to tell the client, who knows it from now on.
  struct News {
    var updates: [(path: [PathStep], value: LeafValue)] = []
    var deletes: [[PathStep]] = []
  }

  mutating func news(_ snapshot: Snapshot, at now: Instant) -> News {
    let beats = nextHeartbeat.map { $0 <= now } ?? false
    let sendsAll: Bool =
      switch trigger {
      case .change: beats
      case .sample(_, let suppressRedundant): beats || !suppressRedundant
      }
    var news = News()
    var seen: [[PathStep]: LeafValue] = [:]
    for selected in InterfaceSchema.root.select(pattern, in: .all(snapshot.interfaces)) {
      selected.forEachLeaf(of: roles) { path, value in
        seen[path] = value
        if sendsAll || known[path] != value { news.updates.append((path, value)) }
      }
    }
    news.deletes = known.keys.filter { seen[$0] == nil }
    known = seen
    generation = snapshot.generation
    schedule(after: now, beats)
    return news
  }

  private mutating func schedule(after now: Instant, _ beats: Bool) {
    if let heartbeat, beats || nextHeartbeat == nil { nextHeartbeat = now.advanced(by: heartbeat) }
    let next: Instant? =
      switch trigger {
      case .sample(let interval, _):
        if let deadline, deadline > now { deadline } else { now.advanced(by: interval) }
      case .change: needsStatus ? now.advanced(by: statusPoll) : nil
      }
    deadline = [next, nextHeartbeat].compactMap(\.self).min()
  }
}
