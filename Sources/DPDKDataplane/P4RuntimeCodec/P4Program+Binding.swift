import Core
import P4RuntimeProtos

/// `p4c-dpdk` drops the scope from names (`k8s_dp_control.routes` is `routes` in the
/// spec), copies actions that several tables use (`hit`, `hit_1`), and makes of an
/// action profile a table of members and, with a selector, a selector besides.
extension P4Program {
  static func shortName(_ name: String) -> String {
    name.split(separator: ".").last.map(String.init) ?? name
  }

  private static func width(_ bits: Int32, of what: String) throws(P4Error) -> Int {
    guard (1...64).contains(bits) else {
      throw P4Error(
        .invalidArgument, "\(what) has \(bits) bits; this target takes fields of 1 to 64 bits")
    }
    return Int(bits)
  }

  mutating func bindActions() throws(P4Error) {
    for action in info.actions {
      let name = action.preamble.name
      // Not every action of P4Info is left in the spec, and copies have equal arguments.
      let engine = contract.actions[Self.shortName(name)] ?? copies(of: name).first
      var parameters: [Parameter] = []
      for (position, parameter) in action.params.enumerated() {
        let bits = try Self.width(parameter.bitwidth, of: "parameter \(parameter.name) of \(name)")
        let index = engine?.arguments.firstIndex { $0.name == parameter.name } ?? position
        if let engine {
          guard engine.arguments.indices.contains(index), engine.arguments[index].bits >= bits
          else { throw Self.mismatch("parameter \(parameter.name) of action \(name)") }
        }
        parameters.append(
          Parameter(
            id: parameter.id, name: parameter.name, bits: bits, index: index,
            isPort: parameter.typeName.name == "PortId_t"))
      }
      if let engine, engine.arguments.count != parameters.count {
        throw Self.mismatch("the parameters of action \(name)")
      }
      guard
        actions.updateValue(
          Action(id: action.preamble.id, name: name, parameters: parameters),
          forKey: action.preamble.id) == nil
      else { throw P4Error(.invalidArgument, "P4Info has id \(action.preamble.id) twice") }
    }
  }

  private func copies(of name: String) -> [Contract.Action] {
    contract.actions.values.filter { Self.isCopy($0.name, of: Self.shortName(name)) }
      .sorted { $0.name < $1.name }
  }

  /// Whether a name of the spec is a name of P4, or its numbered copy.
  static func isCopy(_ engine: String, of name: String) -> Bool {
    guard engine.hasPrefix(name) else { return false }
    let rest = engine.dropFirst(name.count)
    return rest.isEmpty || (rest.first == "_" && rest.dropFirst().allSatisfy(\.isNumber))
  }

  static func mismatch(_ what: String) -> P4Error {
    P4Error(
      .invalidArgument,
      "P4Info and the pipeline's spec differ in \(what); they must come from one compilation")
  }

  private func references(
    _ refs: [P4_Config_V1_ActionRef], among engineActions: [String], of what: String
  ) throws(P4Error) -> [UInt32: ActionReference] {
    var result: [UInt32: ActionReference] = [:]
    for reference in refs {
      guard let action = actions[reference.id] else {
        throw P4Error(.invalidArgument, "\(what) has an action \(reference.id) that P4Info lacks")
      }
      let scope: PipelineSpec.Scope =
        switch reference.scope {
        case .tableOnly: .tableOnly
        case .defaultOnly: .defaultOnly
        default: .anywhere
        }
      let engineAction = engineActions.first {
        Self.isCopy($0, of: Self.shortName(action.name))
      }
      guard engineAction != nil || scope == .defaultOnly else {
        throw Self.mismatch("action \(action.name) of \(what)")
      }
      result[reference.id] = ActionReference(
        id: reference.id, scope: scope, engineAction: engineAction)
    }
    return result
  }

  mutating func bindProfiles() throws(P4Error) {
    for profile in info.actionProfiles {
      let name = profile.preamble.name
      let short = Self.shortName(name)
      guard let members = contract.table(short), members.key.count == 1 else {
        throw Self.mismatch("action profile \(name)")
      }
      let selector = contract.selectors.first { $0.name == short + "_sel" }
      guard !profile.withSelector || selector != nil else {
        throw Self.mismatch("the selector of \(name)")
      }
      let ids = profile.tableIds
      let users = info.tables.filter {
        ids.contains($0.preamble.id) || $0.implementationID == profile.preamble.id
      }
      let isWeighted: Bool
      var maximumMemberWeight = 0
      switch profile.selectorSizeSemantics {
      case .sumOfMembers(let members):
        isWeighted = false
        maximumMemberWeight = Int(members.maxMemberWeight)
      default: isWeighted = true
      }
      profiles[profile.preamble.id] = Profile(
        id: profile.preamble.id, name: name, hasSelector: profile.withSelector,
        maximumGroupSize: Int(profile.maxGroupSize), size: Int(profile.size),
        countsWeights: isWeighted,
        maximumMemberWeight: maximumMemberWeight,
        tables: users.map(\.preamble.id), memberTable: short,
        actions: try references(
          users.first?.actionRefs ?? [], among: members.actions, of: "action profile \(name)"),
        selector: profile.withSelector ? selector : nil)
    }
  }

  mutating func bindTables() throws(P4Error) {
    for table in info.tables {
      let name = table.preamble.name
      let short = Self.shortName(name)
      var key: [MatchField] = []
      for field in table.matchFields {
        key.append(
          MatchField(
            id: field.id, name: field.name,
            bits: try Self.width(field.bitwidth, of: "match field \(field.name) of \(name)"),
            kind: try Self.kind(of: field, in: name)))
      }
      var filling: Filling = table.isConstTable ? .program : .controller
      let engineKey: [Contract.Field]
      let engineActions: [String]
      var engineMatch = Contract.MatchKind.exact
      if let engine = contract.table(short) {
        engineKey = engine.key
        engineActions = engine.actions
        engineMatch = engine.match
      } else if let learner = contract.learners.first(where: { $0.name == short }) {
        engineKey = learner.key
        engineActions = learner.actions
        filling = .pipeline
      } else {
        throw Self.mismatch("table \(name)")
      }
      guard engineKey.count == key.count, zip(engineKey, key).allSatisfy({ $0.bits >= $1.bits }),
        engineMatch != .exact || key.allSatisfy({ $0.kind == .exact })
      else { throw Self.mismatch("the key of table \(name)") }
      let profile = table.implementationID == 0 ? nil : table.implementationID
      if let profile, profiles[profile] == nil {
        throw P4Error(.invalidArgument, "table \(name) has an unknown action profile \(profile)")
      }
      let actions: [UInt32: ActionReference]
      if let profile {
        actions = profiles[profile]?.actions ?? [:]
      } else {
        actions = try references(table.actionRefs, among: engineActions, of: "table \(name)")
      }
      guard
        tables.updateValue(
          Table(
            id: table.preamble.id, name: name, engineTable: short, key: key,
            engineBits: engineKey.map(\.bits), engineMatch: engineMatch, actions: actions,
            filling: filling,
            constantDefaultAction: table.constDefaultActionID == 0
              ? nil : table.constDefaultActionID,
            size: Int(table.size), profile: profile,
            notifiesIdleTimeout: table.idleTimeoutBehavior == .notifyControl),
          forKey: table.preamble.id) == nil
      else { throw P4Error(.invalidArgument, "P4Info has id \(table.preamble.id) twice") }
    }
  }

  private static func kind(
    of field: P4_Config_V1_MatchField, in table: String
  ) throws(P4Error) -> MatchField.Kind {
    switch field.match {
    case .matchType(.exact): return .exact
    case .matchType(.lpm): return .lpm
    case .matchType(.ternary): return .ternary
    case .matchType(.range): return .range
    case .matchType(.optional): return .optional
    default:
      throw P4Error(
        .invalidArgument, "match field \(field.name) of \(table) has a kind that is not known")
    }
  }
}
