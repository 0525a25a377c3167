#if DPDK
  import Core

  /// Which values become output ports. The engine does not check them and
  /// crashes on a port that it does not have.
  struct PortFlow {
    /// Metadata fields that `tx` reads, such as `m.pna_main_output_metadata_output_port`.
    private(set) var fields: Set<String> = []
    /// Action → indices of the arguments that it moves into one of them.
    private(set) var arguments: [String: [Int]] = [:]
    /// Fields that are written in some way that cannot be checked beforehand.
    private(set) var unchecked: Set<String> = []

    /// - Throws: for a constant port that does not exist.
    init(_ spec: PipelineSpec, ports: Int) throws(DataplaneError) {
      let blocks = spec.actions.map { (Optional($0), $0.instructions) } + [(nil, spec.apply)]
      for (_, code) in blocks {
        for instruction in code where instruction.operation == "tx" {
          let operand = instruction.words[1]
          if operand.hasPrefix("m.") {
            fields.insert(operand)
          } else {
            try Self.check(operand, spec, instruction.line, ports)
          }
        }
      }
      var learned: Set<String> = []
      for learner in spec.learners { learned.formUnion(learner.actions.map(\.name)) }
      for (action, code) in blocks {
        let names = action.map { spec.arguments(of: $0).map { "t." + $0.name } } ?? []
        for instruction in code {
          guard instruction.words.count >= 2, !instruction.isJump,
            instruction.words.dropFirst().contains(where: { fields.contains($0) }),
            let field = Self.written(by: instruction), fields.contains(field)
          else { continue }
          guard instruction.operation == "mov" else {
            unchecked.insert(field)
            continue
          }
          let source = instruction.words[2]
          if let action, let i = names.firstIndex(of: source) {
            arguments[action.name, default: []].append(i)
            if learned.contains(action.name) { unchecked.insert(field) }
          } else if source.contains(".") {
            unchecked.insert(field)
          } else {
            try Self.check(source, spec, instruction.line, ports)
          }
        }
      }
      for (name, line, action) in spec.tables.map({ ($0.name, $0.line, $0.defaultAction) }) {
        for i in arguments[action.name] ?? [] where action.arguments[i] >= UInt64(ports) {
          throw DataplaneError(
            .outOfRange, "\(spec.source):\(line)",
            "the default action of \(name) sends to port \(action.arguments[i]) of \(ports)")
        }
      }
    }

    /// The metadata field that an instruction may write.
    private static func written(by instruction: PipelineSpec.Instruction) -> String? {
      switch instruction.operation {
      case "tx", "learn", "rearm", "regadd", "regwr": nil
      case "rx", "mov", "add", "sub", "and", "or", "xor", "shl", "shr", "regrd", "entryid",
        "recircid":
        instruction.words[1]
      case "hash": instruction.words[2]
      default: instruction.words.dropFirst().first { $0.hasPrefix("m.") }
      }
    }

    private static func check(
      _ text: String, _ spec: PipelineSpec, _ line: Int, _ ports: Int
    ) throws(DataplaneError) {
      guard let port = PipelineSpec.number(text), port < UInt64(ports) else {
        throw DataplaneError(
          .outOfRange, "\(spec.source):\(line)", "port \(text) does not exist; there are \(ports)")
      }
    }
  }
#endif
