import Core

/// A learned entry or counter that is not the same in two dataplanes.
public struct StateDifference: Hashable, Sendable, Encodable {
  /// `flow[0x6 0xaf40006 …]`, `tables.route.hit`.
  public var what: String
  /// The value, or nil when that side has none.
  public var left: String?
  public var right: String?

  public init(what: String, left: String?, right: String?) {
    self.what = what
    self.left = left
    self.right = right
  }

  /// The differences of all learned entries that are alive, in canonical order.
  static func learned(_ left: [LearnedEntry], _ right: [LearnedEntry]) -> [StateDifference] {
    guard left != right else { return [] }
    return differences(values(of: left), values(of: right))
  }

  /// The differences of learned entries, the times apart at which they expire.
  static func entries(_ left: [TableEntry], _ right: [TableEntry]) -> [StateDifference] {
    differences(values(of: left), values(of: right))
  }

  /// The differences of all counters, in order of their names.
  static func counters(_ left: Counters, _ right: Counters) -> [StateDifference] {
    guard left != right else { return [] }
    return differences(values(of: left), values(of: right))
  }

  private static func differences(_ left: [String: String], _ right: [String: String])
    -> [StateDifference]
  {
    Set(left.keys).union(right.keys).sorted().compactMap { key in
      guard left[key] != right[key] else { return nil }
      return StateDifference(what: key, left: left[key], right: right[key])
    }
  }

  private static func values(of entries: [LearnedEntry]) -> [String: String] {
    var values: [String: String] = [:]
    for entry in entries {
      let key = "\(entry.table)[\(hex(entry.key))]"
      values[key] =
        "\(entry.action)(\(hex(entry.arguments))) timer \(entry.timer) "
        + "expires at cycle 0x\(String(entry.expiry, radix: 16))"
    }
    return values
  }

  private static func values(of entries: [TableEntry]) -> [String: String] {
    var values: [String: String] = [:]
    for entry in entries {
      values["\(entry.table)[\(hex(entry.key))]"] = "\(entry.action)(\(hex(entry.arguments)))"
    }
    return values
  }

  private static func hex(_ words: [UInt64]) -> String {
    words.map { "0x" + String($0, radix: 16) }.joined(separator: " ")
  }

  /// A counter that stands at zero is the same as none.
  private static func values(of counters: Counters) -> [String: String] {
    var values: [String: String] = [:]
    func set(_ name: String, _ value: UInt64) {
      if value != 0 { values[name] = String(value) }
    }
    for (name, table) in counters.tables {
      set("tables.\(name).hit", table.hit)
      set("tables.\(name).miss", table.miss)
      for (action, count) in table.actions { set("tables.\(name).action.\(action)", count) }
    }
    for (name, learner) in counters.learners {
      set("learners.\(name).hit", learner.hit)
      set("learners.\(name).miss", learner.miss)
      set("learners.\(name).learned", learner.learned)
      set("learners.\(name).learn_failed", learner.learnFailed)
      set("learners.\(name).rearmed", learner.rearmed)
      for (action, count) in learner.actions { set("learners.\(name).action.\(action)", count) }
    }
    for (reason, count) in counters.dropped { set("dropped.\(reason.name)", count) }
    for (reason, count) in counters.droppedByPipeline {
      set("drops.\(reason.name)", count)
    }
    for (port, count) in counters.forwarded { set("forwarded.\(port)", count) }
    return values
  }
}
