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

    /// - Parameter checksAll: Check every port before the frame leaves, because
    ///   fields that a path does not write can have any value.
    /// - Throws: for a constant port that does not exist.
    init(_ spec: PipelineSpec, ports: Int, checksAll: Bool) throws(DataplaneError) {
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
          guard let field = Self.written(by: instruction, of: fields) else { continue }
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
      for selector in spec.selectors where fields.contains(selector.member) {
        unchecked.insert(selector.member)
      }
      if checksAll { unchecked = fields }
      for (name, line, action) in spec.tables.map({ ($0.name, $0.line, $0.defaultAction) }) {
        for i in arguments[action.name] ?? [] where action.arguments[i] >= UInt64(ports) {
          throw DataplaneError(
            .outOfRange, "\(spec.source):\(line)",
            "the default action of \(name) sends to port \(action.arguments[i]) of \(ports)")
        }
      }
    }

    /// The one of these fields that an instruction may write.
    private static func written(
      by instruction: PipelineSpec.Instruction, of fields: Set<String>
    ) -> String? {
      switch instruction.operation {
      case "tx", "learn", "rearm", "regadd", "regwr", "regprefetch", "metprefetch": return nil
      case _ where instruction.isJump: return nil
      case "rx", "mov", "add", "sub", "and", "or", "xor", "shl", "shr", "ckadd", "cksub", "regrd":
        return fields.contains(instruction.words[1]) ? instruction.words[1] : nil
      default: return instruction.words.dropFirst().first { fields.contains($0) }
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
