import Core
import Foundation

/// What a replay did, as it stands in `summary.json`.
public struct ReplaySummary: Hashable, Sendable, Codable {
  /// Frames of all inputs.
  public var framesIn = 0
  /// Output port → frames.
  public var forwarded: [String: Int] = [:]
  /// Drop reason → frames.
  public var dropped: [String: Int] = [:]
  /// Flow entries that are alive at the time of the last frame.
  public var flows = 0
  /// Frames whose time went backwards in their file and was raised.
  public var clampedTimes = 0
  /// Changes of state that were made.
  public var events = 0

  public init() {}

  enum CodingKeys: String, CodingKey {
    case framesIn = "frames_in"
    case forwarded, dropped, flows
    case clampedTimes = "clamped_times"
    case events
  }

  /// Counts a verdict.
  public mutating func count(_ verdict: Verdict) {
    framesIn += 1
    switch verdict {
    case .forward(let port): forwarded["\(port)", default: 0] += 1
    case .drop(let reason): dropped[reason.name, default: 0] += 1
    }
  }

  /// Lines for people.
  public var text: String {
    let out = forwarded.values.reduce(0, +)
    let lost = dropped.values.reduce(0, +)
    var table = TextTable()
    table.add("frames in", framesIn)
    table.add("forwarded", out)
    for (port, frames) in forwarded.sorted(by: { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }) {
      table.add("  port \(port)", frames)
    }
    table.add("dropped", lost)
    for (reason, frames) in dropped.sorted(by: { $0.key < $1.key }) {
      table.add("  \(reason)", frames)
    }
    table.add("flow entries alive", flows)
    if events > 0 { table.add("changes of state", events) }
    if clampedTimes > 0 { table.add("times that went backwards, raised", clampedTimes) }
    return table.text
  }
}
