import Core
import HeapModule
import P4RuntimeCodec

/// When entries with an idle timeout have to be looked at.
///
/// A value, and no clock: the dataplane knows when an entry was last hit, and is asked when
/// the timeout has run out since the last time it is known to have been.
struct IdleTimers: Sendable {
  typealias RowID = ProfileState.RowID

  /// Shorter timeouts last this long, so that no entry is told of without end. In
  /// nanoseconds: 10 ms, which is the interval in which the specification's example looks
  /// (P4Runtime 1.4, 16.4).
  static let shortest: UInt64 = 10_000_000

  private struct Timer: Sendable {
    var timeout: UInt64
    /// It was hit then, or told of, or came.
    var since: Timestamp
    /// The time of its place in the queue; others of it there count for nothing.
    var queued: Timestamp?

    var end: Timestamp {
      let (sum, isOver) = since.nanoseconds.addingReportingOverflow(timeout)
      return Timestamp(nanoseconds: isOver ? .max : sum)
    }
  }

  private struct Turn: Sendable, Comparable {
    var time: Timestamp
    var row: RowID
    static func < (a: Turn, b: Turn) -> Bool { a.time < b.time }
    static func == (a: Turn, b: Turn) -> Bool { a.time == b.time }
  }

  private var timers: [RowID: Timer] = [:]
  private var queue = Heap<Turn>()

  init() {}

  /// Those of all entries of a state, which begin now.
  init(_ state: ForwardingState, at now: Timestamp) {
    for table in state.program.tables.values where table.tracksHits {
      for (key, row) in state.tables[table.id] ?? [:] {
        set(RowID(table: table.id, key: key), row.idleTimeout, at: now)
      }
    }
  }

  /// The time at which the next one may have run out; nil without any.
  var next: Timestamp? { queue.min?.time }

  /// An entry was written, or deleted.
  ///
  /// - Parameter timeout: in nanoseconds; 0 ends it.
  mutating func set(_ row: RowID, _ timeout: Int64, at now: Timestamp) {
    guard timeout > 0 else {
      timers[row] = nil
      return
    }
    var timer = timers[row] ?? Timer(timeout: 0, since: now, queued: nil)
    timer.timeout = max(UInt64(timeout), Self.shortest)
    enqueue(row, &timer)
    timers[row] = timer
  }

  /// Entries whose timeout has run out if they were not hit; each has to be settled.
  mutating func due(at now: Timestamp, limit: Int) -> [RowID] {
    var rows: [RowID] = []
    while rows.count < limit, let turn = queue.min, turn.time <= now {
      queue.removeMin()
      guard timers[turn.row]?.queued == turn.time else { continue }
      timers[turn.row]?.queued = nil
      rows.append(turn.row)
    }
    return rows
  }

  /// Takes over when an entry was last hit, and starts anew when its timeout has run out.
  ///
  /// - Returns: whether it has.
  mutating func settle(_ row: RowID, lastHit: Timestamp, at now: Timestamp) -> Bool {
    guard var timer = timers[row] else { return false }
    timer.since = max(timer.since, lastHit)
    let isIdle = timer.end <= now
    if isIdle { timer.since = now }
    enqueue(row, &timer)
    timers[row] = timer
    return isIdle
  }

  private mutating func enqueue(_ row: RowID, _ timer: inout Timer) {
    let end = timer.end
    if let queued = timer.queued, queued <= end { return }
    timer.queued = end
    queue.insert(Turn(time: end, row: row))
  }
}
