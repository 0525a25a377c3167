extension PipelineSpec {
  /// Reads a spec and checks it.
  ///
  /// - Parameters:
  ///   - text: What `p4c-dpdk` wrote.
  ///   - file: Its name, for errors.
  /// - Throws: ``DataplaneError/Code/invalidArgument`` about `file:line`.
  public init(parsing text: String, file: String = "k8s_dp.spec") throws(DataplaneError) {
    var parser = PipelineSpecParser(lexer: try PipelineSpecLexer(text, file: file), file: file)
    self = try parser.parse()
    try check()
  }
}

/// Reads the blocks of a `.spec` in the order they come.
struct PipelineSpecParser {
  var lexer: PipelineSpecLexer
  var spec: PipelineSpec
  /// Default actions' words, turned into values when all actions are known.
  var defaults: [(name: String, words: [String], line: Int)] = []

  init(lexer: PipelineSpecLexer, file: String) {
    self.lexer = lexer
    spec = PipelineSpec(source: file)
  }

  typealias Line = PipelineSpecLexer.Line

  mutating func parse() throws(DataplaneError) -> PipelineSpec {
    var hasMetadata = false
    var hasApply = false
    while let line = lexer.next() {
      switch line.words[0] {
      case "struct": try parseStruct(line)
      case "header": try parseHeader(line)
      case "metadata":
        guard !hasMetadata else { throw lexer.error(line.number, "a second metadata statement") }
        try expect(line, line.words.count == 3 && line.words[1] == "instanceof", Self.metadataForm)
        spec.metadata = line.words[2]
        hasMetadata = true
      case "action": try parseAction(line)
      case "table": try parseTable(line)
      case "selector": try parseSelector(line)
      case "learner": try parseLearner(line)
      case "regarray": try parseRegisters(line)
      case "metarray": try parseMeters(line)
      case "extobj": try parseExtern(line)
      case "apply":
        guard !hasApply else { throw lexer.error(line.number, "a second apply block") }
        try expect(line, line.words == ["apply", "{"], "apply {")
        spec.apply = try parseInstructions(line)
        hasApply = true
      default: throw lexer.error(line.number, "'\(line.words[0])' starts no statement")
      }
    }
    let last = lexer.lines.last?.number ?? 1
    guard hasMetadata else { throw lexer.error(last, "no metadata statement") }
    guard hasApply else { throw lexer.error(last, "no apply block") }
    try resolveDefaults()
    return spec
  }

  static let metadataForm = "metadata instanceof STRUCT"

  func expect(_ line: Line, _ condition: Bool, _ form: String) throws(DataplaneError) {
    guard condition else { throw lexer.error(line.number, "expected: \(form)") }
  }

  private mutating func parseStruct(_ line: Line) throws(DataplaneError) {
    try expect(line, line.words.count == 3 && line.words[2] == "{", "struct NAME {")
    var fields: [PipelineSpec.Field] = []
    var names: Set<String> = []
    while let row = try lexer.next(inBlockOf: line.number) {
      try expect(row, row.words.count == 2, "bit<N> NAME")
      if fields.last?.isVariable == true {
        throw lexer.error(row.number, "only the last field of a struct may be varbit")
      }
      let isVariable = row.words[0].hasPrefix("varbit<")
      guard isVariable || row.words[0].hasPrefix("bit<"), row.words[0].hasSuffix(">") else {
        throw lexer.error(row.number, "expected: bit<N> NAME")
      }
      let digits = row.words[0].dropFirst(isVariable ? 7 : 4).dropLast()
      let bits = try lexer.number(String(digits), row.number, 8...16_384)
      guard bits % 8 == 0 else {
        throw lexer.error(row.number, "\(bits) bits are no whole number of bytes")
      }
      guard names.insert(row.words[1]).inserted else {
        throw lexer.error(row.number, "a second field '\(row.words[1])'")
      }
      fields.append(.init(name: row.words[1], bits: Int(bits), isVariable: isVariable))
    }
    guard !fields.isEmpty else { throw lexer.error(line.number, "a struct without fields") }
    spec.structs.append(.init(name: line.words[1], fields: fields, line: line.number))
  }

  private mutating func parseHeader(_ line: Line) throws(DataplaneError) {
    try expect(
      line, line.words.count == 4 && line.words[2] == "instanceof", "header NAME instanceof STRUCT")
    spec.headers.append(.init(name: line.words[1], type: line.words[3], line: line.number))
  }

  private mutating func parseAction(_ line: Line) throws(DataplaneError) {
    let form = "action NAME args none { or action NAME args instanceof STRUCT {"
    let words = line.words
    try expect(line, words.count >= 5 && words[2] == "args" && words.last == "{", form)
    var arguments: String?
    if words.count == 6, words[3] == "instanceof" {
      arguments = words[4]
    } else {
      try expect(line, words.count == 5 && words[3] == "none", form)
    }
    let instructions = try parseInstructions(line)
    spec.actions.append(
      .init(
        name: words[1], arguments: arguments, instructions: instructions, line: line.number))
  }

  private mutating func parseInstructions(_ line: Line) throws(DataplaneError)
    -> [PipelineSpec.Instruction]
  {
    var instructions: [PipelineSpec.Instruction] = []
    while let row = try lexer.next(inBlockOf: line.number) {
      guard row.words.count <= 16 else {
        throw lexer.error(row.number, "more than 16 words in an instruction")
      }
      var instruction = PipelineSpec.Instruction(words: row.words, line: row.number)
      if row.words.count >= 2, row.words[1] == ":" {
        instruction.label = row.words[0]
        instruction.words.removeFirst(2)
        try expect(row, !instruction.words.isEmpty, "LABEL : INSTRUCTION")
      }
      guard instruction.text.utf8.count < 256 else {
        throw lexer.error(row.number, "an instruction longer than 255 bytes")
      }
      instructions.append(instruction)
    }
    guard !instructions.isEmpty else { throw lexer.error(line.number, "a block without code") }
    return instructions
  }

  private mutating func parseRegisters(_ line: Line) throws(DataplaneError) {
    let words = line.words
    try expect(
      line, words.count == 6 && words[2] == "size" && words[4] == "initval",
      "regarray NAME size N initval N")
    spec.registers.append(
      .init(
        name: words[1], size: Int(try lexer.number(words[3], line.number, 1...(1 << 30))),
        initial: try lexer.number(words[5], line.number, 0...UInt64.max), line: line.number))
  }

  private mutating func parseMeters(_ line: Line) throws(DataplaneError) {
    let words = line.words
    try expect(line, words.count == 4 && words[2] == "size", "metarray NAME size N")
    spec.meters.append(
      .init(
        name: words[1], size: Int(try lexer.number(words[3], line.number, 1...(1 << 30))),
        line: line.number))
  }

  private mutating func parseExtern(_ line: Line) throws(DataplaneError) {
    let words = line.words
    let hasArguments = words.count == 6 && words[4] == "pragma"
    try expect(
      line, (words.count == 4 || hasArguments) && words[2] == "instanceof",
      "extobj NAME instanceof TYPE [pragma ARGUMENTS]")
    spec.externs.append(
      .init(
        name: words[1], type: words[3], arguments: hasArguments ? words[5] : nil, line: line.number)
    )
  }
}
