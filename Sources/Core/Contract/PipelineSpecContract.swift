extension PipelineSpec {
  /// What the control plane sees. Key fields keep their names in the spec, such
  /// as `h.ipv4.dst_addr`; sizes of learners are rounded up as the engine does.
  public var contract: Contract {
    let scope = PipelineSpecScope(self)
    func fields(_ names: [String]) -> [Contract.Field] {
      names.map { Contract.Field(name: $0, bits: scope.field($0, nil)?.bits ?? 0) }
    }
    func entryActions(_ references: [ActionReference]) -> [String] {
      references.filter { $0.scope != .defaultOnly }.map(\.name)
    }
    var actions: [String: Contract.Action] = [:]
    for action in self.actions {
      actions[action.name] = .init(
        name: action.name,
        arguments: arguments(of: action).map { .init(name: $0.name, bits: $0.bits) })
    }
    return Contract(
      actions: actions,
      tables: tables.map { table in
        let kinds = Set(table.key.map(\.match))
        return .init(
          name: table.name, key: fields(table.key.map(\.field)),
          match: kinds.contains(.lpm) ? .lpm : kinds.contains(.wildcard) ? .wildcard : .exact,
          actions: entryActions(table.actions), defaultAction: table.defaultAction.name,
          hasConstantDefault: table.defaultAction.isConstant,
          size: table.key.isEmpty ? 0 : table.size)
      },
      learners: learners.map { learner in
        .init(
          name: learner.name, key: fields(learner.key), actions: entryActions(learner.actions),
          buckets: Self.powerOfTwo(learner.size), timers: learner.timeouts)
      },
      selectors: selectors.map {
        .init(
          name: $0.name, maximumGroups: $0.maximumGroups, maximumMembers: $0.maximumMembers)
      })
  }

  /// The same pipeline with other sizes, for tests and small hosts.
  ///
  /// - Parameter sizes: Table or learner name → size.
  /// - Throws: ``DataplaneError/Code/notFound`` for a name that is neither,
  ///   ``DataplaneError/Code/outOfRange`` for a size below 1 or above 2²⁶.
  public func resized(_ sizes: [String: Int]) throws(DataplaneError) -> PipelineSpec {
    var copy = self
    for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
      guard (1...(1 << 26)).contains(size) else {
        throw DataplaneError(.outOfRange, name, "a size of \(size); it must be 1 to 67108864")
      }
      if let i = tables.firstIndex(where: { $0.name == name }) {
        copy.tables[i].size = size
      } else if let i = learners.firstIndex(where: { $0.name == name }) {
        copy.learners[i].size = size
      } else {
        throw DataplaneError(.notFound, name, "no table or learner of this name to resize")
      }
    }
    return copy
  }

  static func powerOfTwo(_ value: Int) -> Int {
    value <= 1 ? 1 : 1 << (Int.bitWidth - (value - 1).leadingZeroBitCount)
  }
}
