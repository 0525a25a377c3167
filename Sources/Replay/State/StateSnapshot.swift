import Core
import Foundation

/// What a running node had at one moment, exactly: the rows of its tables, which have a history
/// that rows made of pods and Services have not, and the entries that its pipeline had learned.
public struct StateSnapshot: Hashable, Sendable {
  /// Updates that the node made later.
  public struct Change: Hashable, Sendable {
    /// Since the moment.
    public var at: Timestamp
    public var updates: [Update]

    public init(at: Timestamp, updates: [Update]) {
      self.at = at
      self.updates = updates
    }
  }

  /// Learned entries, and the engine's clock that they go by.
  public struct Learned: Hashable, Sendable {
    /// Cycles a second, and their count at the moment.
    public var hertz: UInt64
    public var cycles: UInt64
    public var entries: [LearnedEntry]

    public init(hertz: UInt64, cycles: UInt64, entries: [LearnedEntry]) {
      self.hertz = hertz
      self.cycles = cycles
      self.entries = entries
    }
  }

  /// Nanoseconds since 1970; nil is the time of the first frame.
  public var moment: UInt64?
  public var rows: [TableEntry]
  public var learned: Learned?
  /// In ascending order of time.
  public var changes: [Change]
  /// What addresses are called.
  public var names: NameBook

  public init(
    moment: UInt64? = nil, rows: [TableEntry], learned: Learned? = nil, changes: [Change] = [],
    names: NameBook = NameBook()
  ) {
    self.moment = moment
    self.rows = rows
    self.learned = learned
    self.changes = changes
    self.names = names
  }
}

extension StateSnapshot {
  /// The highest port that a row, or an update, sends frames to.
  var highestPort: PortID {
    let rows = rows.lazy.compactMap(\.egress).max() ?? 0
    return max(rows, changes.flatMap(\.updates).compactMap(\.egress).max() ?? 0)
  }
}

extension Update {
  /// The port that a new row of k8s_dp sends frames to; nil when there is none.
  public var egress: PortID? {
    switch self {
    case .insert(let entry), .modify(let entry): entry.egress
    default: nil
    }
  }
}

extension TableEntry {
  private static let egressArguments = K8sDP.contract.actions.compactMapValues { action in
    action.arguments.firstIndex { $0.name == "egress" }
  }

  /// The port that a row of k8s_dp sends frames to; nil when it names none.
  public var egress: PortID? {
    guard let index = Self.egressArguments[action], arguments.indices.contains(index) else {
      return nil
    }
    return PortID(truncatingIfNeeded: arguments[index])
  }
}

extension StateSnapshot.Learned {
  /// The count that any replay can begin with: no timer is longer, so that an entry never
  /// seems to have been armed before the count began.
  private static let head: UInt64 = 1 << 53

  /// The clock of an engine that goes on where the node's was: its rate where it can have it.
  ///
  /// - Parameter hertz: an engine's own, if it cannot have another.
  public func clock(hertz own: UInt64? = nil) -> EngineClock {
    // A multiple of 2³² further on: entries end at the same moments as on the node.
    EngineClock(hertz: own ?? hertz, start: cycles & 0xFFFF_FFFF | Self.head)
  }

  /// The entries by that clock. On an engine of another rate an entry ends up to 2³² cycles
  /// later than on the node, since it counts in units of so many.
  public func entries(by clock: EngineClock) -> [LearnedEntry] {
    entries.map { entry in
      var entry = entry
      let left = entry.expiry > cycles ? entry.expiry - cycles : 0
      if clock.hertz == hertz, (clock.start ^ cycles) & 0xFFFF_FFFF == 0 {
        entry.expiry = clock.start + left
      } else {
        let (high, low) = left.multipliedFullWidth(by: clock.hertz)
        let scaled = high < hertz ? hertz.dividingFullWidth((high, low)).quotient : UInt64.max >> 1
        entry.expiry = (clock.start + scaled + 0xFFFF_FFFF) & ~0xFFFF_FFFF
      }
      return entry
    }
  }
}
