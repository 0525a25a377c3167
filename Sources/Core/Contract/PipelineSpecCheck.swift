extension PipelineSpec {
  /// The greatest byte offset an SWX operand can name (`uint8_t`,
  /// rte_swx_pipeline_internal.h); greater ones wrap silently.
  public static let maximumMetadataBytes = 255

  func refusal(_ line: Int, _ message: String) -> DataplaneError {
    DataplaneError(.invalidArgument, "\(source):\(line)", message)
  }

  /// Checks that everything named is defined and that everything fits.
  func check() throws(DataplaneError) {
    try checkNames(structs.map { ($0.name, $0.line) }, "struct")
    try checkNames(headers.map { ($0.name, $0.line) }, "header")
    try checkNames(actions.map { ($0.name, $0.line) }, "action")
    try checkNames(
      tables.map { ($0.name, $0.line) } + selectors.map { ($0.name, $0.line) }
        + learners.map { ($0.name, $0.line) }, "table, selector or learner")
    try checkNames(
      registers.map { ($0.name, $0.line) } + meters.map { ($0.name, $0.line) }, "array")
    try checkStructs()
    let scope = PipelineSpecScope(self)
    for action in actions { try checkCode(action.instructions, action, scope) }
    try checkCode(apply, nil, scope)
    for table in tables { try checkTable(table, scope) }
    for learner in learners { try checkLearner(learner, scope) }
    for selector in selectors {
      for field in selector.fields + [selector.group, selector.member] {
        guard scope.field(field, nil) != nil else {
          throw refusal(selector.line, "no field '\(field)'")
        }
      }
    }
  }

  private func checkNames(_ names: [(String, Int)], _ kind: String) throws(DataplaneError) {
    var seen: Set<String> = []
    for (name, line) in names where !seen.insert(name).inserted {
      throw refusal(line, "a second \(kind) '\(name)'")
    }
  }

  private func checkStructs() throws(DataplaneError) {
    for item in structs {
      var offset = 0
      for field in item.fields {
        guard offset <= Self.maximumMetadataBytes else {
          throw refusal(
            item.line, "'\(field.name)' lies at byte \(offset); SWX wraps offsets above 255")
        }
        offset += field.bits / 8
      }
    }
    guard headers.count <= 60 else {
      throw refusal(headers[60].line, "\(headers.count) headers; at most 60 are supported")
    }
    for header in headers where structure(header.type) == nil {
      throw refusal(header.line, "no struct '\(header.type)'")
    }
    guard let metadata = structure(metadata) else {
      throw refusal(1, "no struct '\(metadata)' for the metadata")
    }
    guard metadata.fields.last?.isVariable != true else {
      throw refusal(metadata.line, "metadata cannot have a varbit field")
    }
    guard metadata.bytes <= Self.maximumMetadataBytes else {
      throw refusal(
        metadata.line,
        "\(metadata.bytes) bytes of metadata; SWX wraps offsets above 255 silently, "
          + "so at most \(Self.maximumMetadataBytes) are taken")
    }
    for action in actions {
      guard let name = action.arguments else { continue }
      guard let arguments = structure(name) else {
        throw refusal(action.line, "no struct '\(name)'")
      }
      for field in arguments.fields where field.isVariable || field.bits > 64 {
        throw DataplaneError(
          .unimplemented, "\(source):\(arguments.line)",
          "the argument '\(field.name)' has more than 64 bits or is varbit")
      }
    }
  }

  private func checkTable(_ table: Table, _ scope: PipelineSpecScope) throws(DataplaneError) {
    try checkKey(table.key.map(\.field), table.line, scope)
    try checkActions(table.actions, table.line, scope)
  }

  private func checkLearner(_ learner: Learner, _ scope: PipelineSpecScope) throws(DataplaneError) {
    try checkKey(learner.key, learner.line, scope)
    try checkActions(learner.actions, learner.line, scope)
  }

  private func checkKey(_ key: [String], _ line: Int, _ scope: PipelineSpecScope)
    throws(DataplaneError)
  {
    var owner: Substring?
    var seen: Set<String> = []
    for name in key {
      guard let field = scope.field(name, nil), !name.hasPrefix("t.") else {
        throw refusal(line, "no field '\(name)'")
      }
      guard seen.insert(name).inserted else { throw refusal(line, "'\(name)' twice in the key") }
      guard field.bits <= 64, !field.isVariable else {
        throw DataplaneError(
          .unimplemented, "\(source):\(line)", "the key '\(name)' has more than 64 bits")
      }
      let prefix = name.hasPrefix("m.") ? "m" : name[..<(name.lastIndex(of: ".") ?? name.endIndex)]
      guard owner == nil || owner == prefix else {
        throw refusal(line, "the key mixes '\(owner ?? "")' and '\(prefix)'")
      }
      owner = prefix
    }
  }

  private func checkActions(
    _ references: [ActionReference], _ line: Int, _ scope: PipelineSpecScope
  ) throws(DataplaneError) {
    for reference in references where !scope.actions.contains(reference.name) {
      throw refusal(line, "no action '\(reference.name)'")
    }
  }
}

/// The names of a spec by what they mean.
struct PipelineSpecScope {
  var fields: [String: PipelineSpec.Field] = [:]
  var headers: Set<String> = []
  var actions: Set<String> = []
  var arguments: [String: [String: PipelineSpec.Field]] = [:]
  var lookups: Set<String> = []
  /// Byte offset of every metadata field.
  var offsets: [String: Int] = [:]

  init(_ spec: PipelineSpec) {
    var offset = 0
    for field in spec.metadataFields {
      fields["m." + field.name] = field
      offsets["m." + field.name] = offset
      offset += field.bits / 8
    }
    for header in spec.headers {
      headers.insert("h." + header.name)
      for field in spec.structure(header.type)?.fields ?? [] {
        fields["h.\(header.name).\(field.name)"] = field
      }
    }
    for action in spec.actions {
      actions.insert(action.name)
      for field in spec.arguments(of: action) {
        arguments[action.name, default: [:]]["t." + field.name] = field
      }
    }
    lookups.formUnion(spec.tables.map(\.name))
    lookups.formUnion(spec.selectors.map(\.name))
    lookups.formUnion(spec.learners.map(\.name))
  }

  func field(_ name: String, _ action: String?) -> PipelineSpec.Field? {
    fields[name] ?? action.flatMap { arguments[$0]?[name] }
  }
}
