extension PipelineSpecParser {
  typealias Default = (name: String, isConstant: Bool)

  mutating func parseTable(_ line: Line) throws(DataplaneError) {
    try expect(line, line.words.count == 3 && line.words[2] == "{", "table NAME {")
    var key: [PipelineSpec.Key] = []
    var body = Body()
    while let row = try lexer.next(inBlockOf: line.number) {
      if row.words == ["key", "{"] {
        guard key.isEmpty else { throw lexer.error(row.number, "a second key block") }
        while let field = try lexer.next(inBlockOf: row.number) {
          guard field.words.count == 2, let match = Contract.MatchKind(rawValue: field.words[1])
          else { throw lexer.error(field.number, "expected: FIELD exact|wildcard|lpm") }
          key.append(.init(field: field.words[0], match: match))
        }
      } else if row.words.count == 2, row.words[0] == "instanceof" {
        body.type = row.words[1]
      } else if row.words.count != 2 || row.words[0] != "pragma" {
        try parseCommon(row, &body, maximumSize: 1 << 26)
      }
    }
    let actions = try finish(body, line)
    spec.tables.append(
      .init(
        name: line.words[1], key: key, actions: body.actions, defaultAction: actions,
        size: body.size, hash: body.hash, type: body.type, line: line.number))
  }

  mutating func parseLearner(_ line: Line) throws(DataplaneError) {
    try expect(line, line.words.count == 3 && line.words[2] == "{", "learner NAME {")
    var key: [String] = []
    var timeouts: [UInt32] = []
    var body = Body()
    while let row = try lexer.next(inBlockOf: line.number) {
      if row.words == ["key", "{"] {
        guard key.isEmpty else { throw lexer.error(row.number, "a second key block") }
        while let field = try lexer.next(inBlockOf: row.number) {
          try expect(field, field.words.count == 1, "FIELD")
          key.append(field.words[0])
        }
      } else if row.words == ["timeout", "{"] {
        while let time = try lexer.next(inBlockOf: row.number) {
          try expect(time, time.words.count == 1, "SECONDS")
          timeouts.append(UInt32(try lexer.number(time.words[0], time.number, 1...0xFFFF_FFFF)))
        }
      } else {
        try parseCommon(row, &body, maximumSize: 1 << 26)
      }
    }
    guard !key.isEmpty else { throw lexer.error(line.number, "a learner without a key") }
    guard (1...16).contains(timeouts.count) else {
      throw lexer.error(line.number, "a learner has 1 to 16 timeouts, not \(timeouts.count)")
    }
    let action = try finish(body, line)
    spec.learners.append(
      .init(
        name: line.words[1], key: key, actions: body.actions, defaultAction: action,
        size: body.size, hash: body.hash, timeouts: timeouts, line: line.number))
  }

  mutating func parseSelector(_ line: Line) throws(DataplaneError) {
    try expect(line, line.words.count == 3 && line.words[2] == "{", "selector NAME {")
    var selector = PipelineSpec.Selector(
      name: line.words[1], group: "", fields: [], member: "", maximumGroups: 0, maximumMembers: 0,
      line: line.number)
    while let row = try lexer.next(inBlockOf: line.number) {
      if row.words == ["selector", "{"] {
        while let field = try lexer.next(inBlockOf: row.number) {
          try expect(field, field.words.count == 1, "FIELD")
          selector.fields.append(field.words[0])
        }
        continue
      }
      try expect(row, row.words.count == 2, "NAME VALUE or selector {")
      switch row.words[0] {
      case "group_id": selector.group = row.words[1]
      case "member_id": selector.member = row.words[1]
      case "n_groups_max":
        selector.maximumGroups = Int(try lexer.number(row.words[1], row.number, 1...(1 << 20)))
      case "n_members_per_group_max":
        selector.maximumMembers = Int(try lexer.number(row.words[1], row.number, 1...(1 << 20)))
      default: throw lexer.error(row.number, "'\(row.words[0])' is no property of a selector")
      }
    }
    guard !selector.group.isEmpty, !selector.member.isEmpty, !selector.fields.isEmpty,
      selector.maximumGroups > 0, selector.maximumMembers > 0
    else {
      throw lexer.error(
        line.number,
        "a selector needs group_id, member_id, a selector block, n_groups_max and "
          + "n_members_per_group_max")
    }
    spec.selectors.append(selector)
  }

  /// What tables and learners have in common.
  struct Body {
    var actions: [PipelineSpec.ActionReference] = []
    var defaultAction: Default?
    /// `RTE_SWX_PIPELINE_TABLE_SIZE_DEFAULT` (rte_swx_pipeline_spec.c: 65,536).
    var size = 65_536
    var hash: String?
    var type: String?
  }

  private mutating func parseCommon(
    _ row: Line, _ body: inout Body, maximumSize: UInt64
  ) throws(DataplaneError) {
    let words = row.words
    if words == ["actions", "{"] {
      while let line = try lexer.next(inBlockOf: row.number) {
        var scope = PipelineSpec.Scope.anywhere
        switch line.words.count {
        case 1: break
        case 2 where line.words[1] == "@tableonly": scope = .tableOnly
        case 2 where line.words[1] == "@defaultonly": scope = .defaultOnly
        default: throw lexer.error(line.number, "expected: ACTION [@tableonly|@defaultonly]")
        }
        guard !body.actions.contains(where: { $0.name == line.words[0] }) else {
          throw lexer.error(line.number, "a second '\(line.words[0])'")
        }
        body.actions.append(.init(name: line.words[0], scope: scope))
      }
    } else if words[0] == "default_action" {
      guard body.defaultAction == nil else {
        throw lexer.error(row.number, "a second default_action")
      }
      let form = "default_action ACTION args none|NAME VALUE … [const]"
      try expect(row, words.count >= 4 && words[2] == "args", form)
      var arguments = Array(words.dropFirst(3))
      let isConstant = arguments.count > 1 && arguments.last == "const"
      if isConstant { arguments.removeLast() }
      if arguments == ["none"] { arguments = [] }
      try expect(row, arguments.count.isMultiple(of: 2), form)
      body.defaultAction = (words[1], isConstant)
      defaults.append((words[1], arguments, row.number))
    } else if words.count == 2, words[0] == "size" {
      body.size = Int(try lexer.number(words[1], row.number, 1...maximumSize))
    } else if words.count == 2, words[0] == "hash" {
      body.hash = words[1]
    } else {
      throw lexer.error(row.number, "'\(words.joined(separator: " "))' is not understood here")
    }
  }

  private func finish(_ body: Body, _ line: Line) throws(DataplaneError)
    -> PipelineSpec.DefaultAction
  {
    guard let action = body.defaultAction else {
      throw lexer.error(line.number, "no default_action")
    }
    guard let reference = body.actions.first(where: { $0.name == action.name }) else {
      throw lexer.error(line.number, "the default action '\(action.name)' is not in its actions")
    }
    guard reference.scope != .tableOnly else {
      throw lexer.error(line.number, "the default action '\(action.name)' is @tableonly")
    }
    return .init(name: action.name, arguments: [], isConstant: action.isConstant)
  }

  /// Turns the words of every default action into values. The words are in the
  /// order in which tables and learners came, which is theirs by line.
  mutating func resolveDefaults() throws(DataplaneError) {
    var values: [Int: [UInt64]] = [:]
    for entry in defaults {
      guard let action = spec.action(entry.name) else {
        throw lexer.error(entry.line, "no action '\(entry.name)'")
      }
      let fields = spec.arguments(of: action)
      guard entry.words.count == fields.count * 2 else {
        throw lexer.error(entry.line, "'\(entry.name)' takes \(fields.count) arguments")
      }
      var row: [UInt64] = []
      for (i, field) in fields.enumerated() {
        guard entry.words[i * 2] == field.name else {
          throw lexer.error(entry.line, "expected the argument '\(field.name)'")
        }
        let limit = Contract.Field(name: field.name, bits: min(field.bits, 64)).maximum
        row.append(try lexer.number(entry.words[i * 2 + 1], entry.line, 0...limit))
      }
      values[entry.line] = row
    }
    let lines = defaults.map(\.line)
    for i in spec.tables.indices {
      let line = lines.first { $0 > spec.tables[i].line }
      spec.tables[i].defaultAction.arguments = line.flatMap { values[$0] } ?? []
    }
    for i in spec.learners.indices {
      let line = lines.first { $0 > spec.learners[i].line }
      spec.learners[i].defaultAction.arguments = line.flatMap { values[$0] } ?? []
    }
  }
}
