/// What became of the faults of a run.
public struct MutationReport: Sendable, Encodable {
  public struct Survivor: Hashable, Sendable, Encodable {
    public var name: String
    /// Why it is equivalent; nil of a real survivor.
    public var reason: String?
  }

  public private(set) var outcomes: [(mutant: SpecMutant, outcome: MutationRun.Outcome)] = []

  public init() {}

  mutating func add(_ mutant: SpecMutant, _ outcome: MutationRun.Outcome) {
    outcomes.append((mutant, outcome))
  }

  /// Faults that change nothing which can be seen, by hand-checked reasons.
  public var equivalents = EquivalentMutants()

  public var survivors: [Survivor] {
    outcomes.filter { $0.outcome == .survived }.map {
      Survivor(name: $0.mutant.name, reason: equivalents.reasons[$0.mutant.name])
    }
  }

  /// What is wrong with the list of equivalent faults.
  public var problems: [String] {
    let names = Set(MutationRun.mutants.map(\.name))
    let unknown = equivalents.reasons.keys.filter { !names.contains($0) }.sorted()
    let found = outcomes.filter {
      $0.outcome != .survived && equivalents.reasons[$0.mutant.name] != nil
    }
    return unknown.map { "listed as equivalent, but there is no such fault: \($0)" }
      + found.map { "listed as equivalent, but \($0.outcome.rawValue): \($0.mutant.name)" }
  }

  private func count(_ outcome: MutationRun.Outcome) -> Int {
    outcomes.count { $0.outcome == outcome }
  }

  private var found: Int { outcomes.count - count(.survived) }
  private var equivalent: Int { survivors.count { $0.reason != nil } }

  /// Whether 95 % of the faults that are not equivalent are found, and the list of
  /// those that are is right.
  public var isGood: Bool {
    problems.isEmpty && found * 100 >= (outcomes.count - equivalent) * 95
  }

  private enum Keys: String, CodingKey {
    case faults, found, crashed, refused, equivalent, survivors, problems
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(outcomes.count, forKey: .faults)
    try container.encode(found, forKey: .found)
    try container.encode(count(.crashed), forKey: .crashed)
    try container.encode(count(.refused), forKey: .refused)
    try container.encode(equivalent, forKey: .equivalent)
    try container.encode(survivors, forKey: .survivors)
    try container.encode(problems, forKey: .problems)
  }

  /// Lines for people.
  public var text: String {
    var table = TextTable()
    table.add("faults", ["", "found"])
    for kind in SpecMutant.Kind.allCases {
      let all = outcomes.filter { $0.mutant.kind == kind }
      table.add(kind.rawValue, all.count, all.count { $0.outcome != .survived })
    }
    table.add("all", outcomes.count, found)
    var ways = TextTable()
    ways.add("found by a difference", count(.found))
    ways.add("found by a crash", count(.crashed))
    ways.add("refused by the loader", count(.refused))
    ways.add("found of all", [Self.percent(found, of: outcomes.count)])
    ways.add(
      "found of not equivalent", [Self.percent(found, of: outcomes.count - equivalent)])
    var text = table.text + "\n" + ways.text
    let real = survivors.filter { $0.reason == nil }
    text += "\nsurvivors: \(real.count)\n" + real.map { "  \($0.name)\n" }.joined()
    text += "\nequivalent: \(equivalent)\n"
    var last: String?
    for survivor in survivors where survivor.reason != nil {
      if survivor.reason != last { text += "  # \(survivor.reason ?? "")\n" }
      text += "  \(survivor.name)\n"
      last = survivor.reason
    }
    return text + problems.map { "\n\($0)" }.joined() + (problems.isEmpty ? "" : "\n")
  }

  /// One digit after the point, rounded down.
  private static func percent(_ part: Int, of all: Int) -> String {
    let thousandths = all == 0 ? 0 : part * 1000 / all
    return "\(thousandths / 10).\(thousandths % 10) %"
  }
}
