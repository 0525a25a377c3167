extension PipelineSpec {
  /// Every instruction of DPDK 22.11 (`instr_translate`, rte_swx_pipeline.c).
  static let operations: Set<String> = [
    "rx", "tx", "drop", "mirror", "recirculate", "recircid", "extract", "lookahead", "emit",
    "validate", "invalidate", "mov", "add", "sub", "ckadd", "cksub", "and", "or", "xor", "shl",
    "shr", "regprefetch", "regrd", "regwr", "regadd", "metprefetch", "meter", "table", "learn",
    "rearm", "forget", "entryid", "extern", "hash", "jmp", "jmpv", "jmpnv", "jmph", "jmpnh",
    "jmpa", "jmpna", "jmpeq", "jmpneq", "jmplt", "jmpgt", "return",
  ]

  /// Words that an instruction has besides its name.
  private static let operands: [String: ClosedRange<Int>] = [
    "rx": 1...1, "tx": 1...1, "drop": 0...0, "return": 0...0, "extract": 1...2, "emit": 1...1,
    "validate": 1...1, "invalidate": 1...1, "lookahead": 1...1, "mov": 2...2, "add": 2...2,
    "sub": 2...2, "and": 2...2, "or": 2...2, "xor": 2...2, "shl": 2...2, "shr": 2...2,
    "ckadd": 2...2, "cksub": 2...2, "table": 1...1, "jmp": 1...1, "jmpv": 2...2, "jmpnv": 2...2,
    "jmph": 1...1, "jmpnh": 1...1, "jmpa": 2...2, "jmpna": 2...2, "jmpeq": 3...3, "jmpneq": 3...3,
    "jmplt": 3...3, "jmpgt": 3...3, "learn": 2...3, "rearm": 0...1, "forget": 0...0,
    "hash": 4...4, "regprefetch": 2...2, "regrd": 3...3, "regwr": 3...3, "regadd": 3...3,
    "meter": 5...5, "metprefetch": 2...2, "entryid": 1...1, "recirculate": 0...0, "recircid": 1...1,
  ]

  /// Checks one block: operations, operands, labels and that it cannot be left
  /// by running past its end.
  func checkCode(
    _ code: [Instruction], _ action: Action?, _ scope: PipelineSpecScope
  ) throws(DataplaneError) {
    var labels: Set<String> = []
    for instruction in code {
      guard let label = instruction.label else { continue }
      guard labels.insert(label).inserted else {
        throw refusal(instruction.line, "a second label '\(label)'")
      }
    }
    for instruction in code {
      try checkOperands(instruction, action, scope)
      if instruction.isJump, !labels.contains(instruction.words[1]) {
        throw refusal(instruction.line, "no label '\(instruction.words[1])' in this block")
      }
    }
    guard let last = code.last, ["tx", "drop", "jmp", "return"].contains(last.operation) else {
      throw refusal(code.last?.line ?? 1, "a block must end in tx, drop, jmp or return")
    }
    if action == nil {
      guard code[0].operation == "rx" else {
        throw refusal(code[0].line, "the apply block must begin with rx")
      }
      if let stray = code.dropFirst().first(where: { $0.operation == "rx" }) {
        throw refusal(stray.line, "a second rx")
      }
    }
  }

  private func checkOperands(
    _ instruction: Instruction, _ action: Action?, _ scope: PipelineSpecScope
  ) throws(DataplaneError) {
    let operation = instruction.operation
    let line = instruction.line
    guard Self.operations.contains(operation) else {
      throw refusal(line, "no instruction '\(operation)'")
    }
    let words = instruction.words.dropFirst()
    if let range = Self.operands[operation], !range.contains(words.count) {
      throw refusal(line, "'\(operation)' does not take \(words.count) operands")
    }
    if operation == "return", action == nil { throw refusal(line, "'return' outside an action") }
    if action != nil, ["rx", "extract", "lookahead", "emit", "table"].contains(operation) {
      throw refusal(line, "'\(operation)' inside an action")
    }
    if operation == "table", !scope.lookups.contains(words[1]) {
      throw refusal(line, "no table '\(words[1])'")
    }
    if operation == "learn", !scope.actions.contains(words[1]) {
      throw refusal(line, "no action '\(words[1])'")
    }
    if operation == "jmpa" || operation == "jmpna", !scope.actions.contains(words[2]) {
      throw refusal(line, "no action '\(words[2])'")
    }
    if operation == "rx" || operation == "tx" || operation == "mov" {
      guard operation != "rx" || words[1].hasPrefix("m.") else {
        throw refusal(line, "'rx' wants a metadata field")
      }
    }
    if operation == "hash", let offset = scope.offsets[words[2]], offset > 31 {
      throw refusal(
        line,
        "the result '\(words[2])' lies at byte \(offset); SWX 22.11 writes it right only in "
          + "bytes 0 to 31")
    }
    for word in instruction.isJump ? words.dropFirst() : words {
      guard word.hasPrefix("h.") || word.hasPrefix("m.") || word.hasPrefix("t.") else { continue }
      guard scope.field(word, action?.name) != nil || scope.headers.contains(word) else {
        throw refusal(line, "no field or header '\(word)'")
      }
    }
  }
}

extension PipelineSpec.Instruction {
  /// Whether its first operand is a label.
  public var isJump: Bool { operation.hasPrefix("jmp") }
  /// Whether control never reaches the next instruction.
  public var isFinal: Bool { ["jmp", "tx", "drop", "return"].contains(operation) }
}
