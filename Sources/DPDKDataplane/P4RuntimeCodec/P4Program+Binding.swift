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
    let names = info.actions.map { Self.shortName($0.preamble.name) }
    // An action called hit_1 is one of P4's own, and no copy of hit.
    ownNames = Set(names)
    for (action, short) in zip(info.actions, names) {
      let name = action.preamble.name
      for parameter in action.params {
        _ = try Self.width(parameter.bitwidth, of: "parameter \(parameter.name) of \(name)")
      }
      // Not every action of P4Info is left in the spec; two of different controls may have one
      // name in it.
      let engine = contract.actions.keys.filter { isAction($0, named: short) }.sorted()
        .compactMap { contract.actions[$0] }
      guard
        let places = engine.isEmpty
          ? Array(action.params.indices)
          : engine.lazy.compactMap({ Self.places(of: action.params, in: $0) }).first
      else { throw Self.mismatch("the parameters of action \(name)") }
      let parameters = zip(action.params, places).map { parameter, place in
        Parameter(
          id: parameter.id, name: parameter.name, bits: Int(parameter.bitwidth), index: place,
          isPort: parameter.typeName.name == "PortId_t")
      }
      guard
        actions.updateValue(
          Action(id: action.preamble.id, name: name, parameters: parameters),
          forKey: action.preamble.id) == nil
      else { throw P4Error(.invalidArgument, "P4Info has id \(action.preamble.id) twice") }
    }
  }

  /// Where the parameters of an action are among the engine's arguments; nil if those are not
  /// the same.
  private static func places(
    of parameters: [P4_Config_V1_Action.Param], in engine: Contract.Action
  ) -> [Int]? {
    let arguments = engine.arguments
    guard arguments.count == parameters.count else { return nil }
    let places = parameters.enumerated().map { position, parameter in
      arguments.firstIndex { $0.name == parameter.name } ?? position
    }
    guard Set(places).count == places.count,
      zip(parameters, places).allSatisfy({ arguments[$1].bits >= Int($0.bitwidth) })
    else { return nil }
    return places
  }

  /// Whether an action of the spec is one of P4Info, or its numbered copy.
  func isAction(_ engine: String, named name: String) -> Bool {
    engine == name || (Self.isCopy(engine, of: name) && !ownNames.contains(engine))
  }

  /// Whether a name of the spec is a name of P4, or its numbered copy.
  static func isCopy(_ engine: String, of name: String) -> Bool {
    guard engine.hasPrefix(name) else { return false }
    let rest = engine.dropFirst(name.count)
    return rest.isEmpty
      || (rest.first == "_" && rest.count > 1 && rest.dropFirst().allSatisfy(\.isNumber))
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
    var taken: Set<String> = []
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
      let engineAction = try engineAction(action, among: engineActions, of: what)
      guard engineAction != nil || scope == .defaultOnly else {
        throw Self.mismatch("action \(action.name) of \(what)")
      }
      if let engineAction, !taken.insert(engineAction).inserted {
        throw Self.mismatch("actions named \(engineAction) of \(what)")
      }
      result[reference.id] = ActionReference(
        id: reference.id, scope: scope, engineAction: engineAction)
    }
    return result
  }

  /// The engine's action for an action of P4Info in one table: the one with its name, or else its
  /// copy, with the arguments where they are expected.
  private func engineAction(
    _ action: Action, among engineActions: [String], of what: String
  ) throws(P4Error) -> String? {
    let short = Self.shortName(action.name)
    let candidates = engineActions.filter { isAction($0, named: short) }.sorted()
    guard !candidates.isEmpty else { return nil }
    let fitting = candidates.first { name in
      guard let arguments = contract.actions[name]?.arguments,
        arguments.count == action.parameters.count
      else { return false }
      return action.parameters.allSatisfy { parameter in
        let argument = arguments[parameter.index]
        return argument.bits >= parameter.bits
          && (argument.name == parameter.name || !arguments.contains { $0.name == parameter.name })
      }
    }
    guard let fitting else {
      throw Self.mismatch("the parameters of action \(action.name) of \(what)")
    }
    return fitting
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
      guard !table.isConstTable, !table.hasInitialEntries_p else {
        throw P4Error(
          .invalidArgument,
          "\(name) has entries in the program, which p4c-dpdk leaves out of the spec; take them out "
            + "and have the controller write them")
      }
      var key: [MatchField] = []
      for field in table.matchFields {
        key.append(
          MatchField(
            id: field.id, name: field.name,
            bits: try Self.width(field.bitwidth, of: "match field \(field.name) of \(name)"),
            kind: try Self.kind(of: field, in: name)))
      }
      var filling = Filling.controller
      let engineKey: [Contract.Field]
      let engineActions: [String]
      var engineMatch = Contract.MatchKind.exact
      let size: Int
      if let engine = contract.table(short) {
        engineKey = engine.key
        engineActions = engine.actions
        engineMatch = engine.match
        size = engine.size
      } else if let learner = contract.learners.first(where: { $0.name == short }) {
        engineKey = learner.key
        engineActions = learner.actions
        size = 4 * learner.buckets
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
            size: size, profile: profile,
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
    case .matchType(.range):
      throw P4Error(
        .invalidArgument,
        "match field \(field.name) of \(table) is a range; the engine matches masks and prefixes: "
          + "make it ternary")
    case .matchType(.optional): return .optional
    default:
      throw P4Error(
        .invalidArgument, "match field \(field.name) of \(table) has a kind that is not known")
    }
  }
}
