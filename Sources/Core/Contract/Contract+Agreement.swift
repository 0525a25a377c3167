extension Contract {
  /// Whether this is `k8s_dp`, with whatever timers.
  public var isK8sDP: Bool {
    var own = K8sDP.contract
    guard own.learners.count == learners.count else { return false }
    for i in learners.indices { own.learners[i].timers = learners[i].timers }
    return own.disagreement(with: self) == nil
  }

  /// Why this contract does not describe a compiled pipeline, or nil.
  ///
  /// `p4c-dpdk` gives key fields long names (`m.local_metadata_src_ip`) and does
  /// not say which actions of a table are for misses only: this contract may be
  /// narrower there.
  public func disagreement(with compiled: Contract) -> String? {
    if tables.map(\.name) != compiled.tables.map(\.name) { return "tables differ" }
    if learners.map(\.name) != compiled.learners.map(\.name) { return "learners differ" }
    if selectors != compiled.selectors { return "selectors differ" }
    if actions != compiled.actions { return "actions differ" }
    for (table, found) in zip(tables, compiled.tables) {
      guard Self.names(found.key, endWith: table.key) else { return "key of \(table.name) differs" }
      guard Set(table.actions).isSubset(of: found.actions), table.match == found.match,
        table.defaultAction == found.defaultAction,
        table.hasConstantDefault == found.hasConstantDefault, table.size == found.size
      else { return "table \(table.name) differs" }
    }
    for (learner, found) in zip(learners, compiled.learners) {
      guard Self.names(found.key, endWith: learner.key) else {
        return "key of \(learner.name) differs"
      }
      guard Set(learner.actions).isSubset(of: found.actions), learner.buckets == found.buckets,
        learner.timers == found.timers
      else { return "learner \(learner.name) differs" }
    }
    return nil
  }

  private static func names(_ long: [Field], endWith short: [Field]) -> Bool {
    long.map(\.bits) == short.map(\.bits)
      && zip(long, short).allSatisfy { long, short in
        long.name == short.name || long.name.hasSuffix("_" + short.name)
          || long.name.hasSuffix("." + short.name)
      }
  }
}
