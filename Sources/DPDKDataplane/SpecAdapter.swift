#if DPDK
  import Core

  /// Turns a spec into one that this host's ports can run, with the same meaning.
  ///
  /// - `drop` would free an `mbuf` that does not exist. It becomes a `tx` to one
  ///   of 256 ports above the real ones, one a reason.
  /// - `tx m.port` crashes for a port that does not exist. Where a port cannot be
  ///   checked when tables are programmed, it is checked before the frame leaves.
  /// - `rx` gives the engine's port, which is always 0. A pipeline that reads it
  ///   gets it from 8 bytes in front of the frame.
  /// - A table that tracks hits notes the time of each in a register of its entry. The time
  ///   is that of the frame, which the host puts into a register of its own.
  struct SpecAdapter {
    static let portHeaderBytes = 8
    static let fields = "k8sdp_fields_t"
    static let header = "k8sdp_port"
    static let dropPort = "k8sdp_drop_port"
    static let badPortLabel = "K8SDP_BAD_PORT"
    /// The time of the frames of a run, in nanoseconds.
    static let clock = "k8sdp_clock"
    private static let time = "m.k8sdp_time"
    private static let entry = "m.k8sdp_entry"

    private(set) var spec: PipelineSpec
    let ports: Int
    let flow: PortFlow
    /// Whether the pipeline reads the port a frame came in on.
    private(set) var readsPort = false
    /// Table that tracks hits → the register array with the time of the last one, by entry.
    private(set) var hits: [String: String] = [:]
    private let reason: String?
    private let masksReason: Bool

    init(_ original: PipelineSpec, ports: Int, reason wanted: String?, checksAllPorts: Bool)
      throws(DataplaneError)
    {
      self.ports = ports
      spec = original
      flow = try PortFlow(original, ports: ports, checksAll: checksAllPorts)
      let field = wanted ?? "local_metadata_reason"
      let found = original.metadataFields.first { $0.name == field }
      guard wanted == nil || found != nil else {
        throw DataplaneError(
          .invalidArgument, original.source, "no metadata field '\(field)' for drop reasons")
      }
      reason = found?.name
      masksReason = (found?.bits ?? 8) > 8

      spec.structs.append(.init(name: Self.fields, fields: [.init(name: "port", bits: 64)]))
      spec.headers.append(.init(name: Self.header, type: Self.fields))
      guard let i = spec.structs.firstIndex(where: { $0.name == spec.metadata }) else { return }
      // The second field keeps the engine's 8-byte accesses within the metadata.
      spec.structs[i].fields.append(.init(name: Self.dropPort, bits: 32))
      spec.structs[i].fields.append(.init(name: "k8sdp_slack", bits: 64))

      for i in spec.actions.indices {
        spec.actions[i].instructions = rewrite(spec.actions[i].instructions)
      }
      spec.apply = rewrite(spec.apply)
      addPort()
      try addHits(to: i)
    }

    /// - Parameter metadata: the number of its struct.
    private mutating func addHits(to metadata: Int) throws(DataplaneError) {
      let tracked = spec.tables.filter { $0.tracksHits && !$0.key.isEmpty }
      guard !tracked.isEmpty else { return }
      // In front of the slack, which stays the last.
      spec.structs[metadata].fields.insert(
        contentsOf: [.init(name: "k8sdp_entry", bits: 32), .init(name: "k8sdp_time", bits: 64)],
        at: spec.structs[metadata].fields.count - 1)
      let offset = spec.structs[metadata].bytes - 16
      guard offset <= PipelineSpec.maximumMetadataBytes else {
        throw DataplaneError(
          .unimplemented, spec.source,
          "idle timeouts take 12 bytes of metadata more, and the pipeline leaves too few of the "
            + "engine's \(PipelineSpec.maximumMetadataBytes + 1)")
      }
      spec.registers.append(.init(name: Self.clock, size: 1, initial: 0, line: 0))
      for (number, table) in tracked.enumerated() {
        let array = "k8sdp_hits_\(number)"
        hits[table.name] = array
        spec.registers.append(.init(name: array, size: table.size + 1, initial: 0, line: 0))
        try noteHits(of: table, in: array)
      }
    }

    /// Behind the look-up, where the actions of most tables return to; and in those that may
    /// not return, before they do anything.
    private mutating func noteHits(
      of table: PipelineSpec.Table, in array: String
    ) throws(DataplaneError) {
      let note = [
        ["entryid", Self.entry], ["regrd", Self.time, Self.clock, "0x0"],
        ["regwr", array, Self.entry, Self.time],
      ].map { PipelineSpec.Instruction(words: $0, line: table.line) }
      spec.apply = spec.apply.flatMap { $0.words == ["table", table.name] ? [$0] + note : [$0] }
      for name in table.actions.map(\.name) {
        guard let i = spec.actions.firstIndex(where: { $0.name == name }),
          spec.actions[i].instructions.contains(where: { $0.operation == "tx" })
        else { continue }
        let users =
          spec.tables.filter { $0.actions.contains { $0.name == name } }.count
          + spec.learners.filter { $0.actions.contains { $0.name == name } }.count
        guard users == 1 else {
          throw DataplaneError(
            .unimplemented, "\(spec.source):\(table.line)",
            "idle timeouts with the action '\(name)', which ends frames of other tables, too")
        }
        spec.actions[i].instructions.insert(contentsOf: note, at: 0)
      }
    }

    private func rewrite(_ code: [PipelineSpec.Instruction]) -> [PipelineSpec.Instruction] {
      var result: [PipelineSpec.Instruction] = []
      var isGuarded = false
      for instruction in code {
        switch instruction.operation {
        case "drop": result.append(contentsOf: drop(instruction))
        case "tx" where flow.unchecked.contains(instruction.words[1]):
          result.append(instruction)
          insertGuard(&result, instruction)
          isGuarded = true
        default: result.append(instruction)
        }
      }
      if isGuarded {
        result.append(
          .init(
            label: Self.badPortLabel,
            words: ["tx", String(ports + Int(DropReason.badPort.rawValue))]))
      }
      return result
    }

    private func drop(_ old: PipelineSpec.Instruction) -> [PipelineSpec.Instruction] {
      guard let reason else {
        let port = ports + Int(DropReason.pipeline.rawValue)
        return [.init(label: old.label, words: ["tx", String(port)], line: old.line)]
      }
      var code = [["mov", "m." + Self.dropPort, "m." + reason]]
      if masksReason { code.append(["and", "m." + Self.dropPort, "0xFF"]) }
      code.append(["add", "m." + Self.dropPort, String(ports)])
      code.append(["tx", "m." + Self.dropPort])
      return code.enumerated().map {
        .init(label: $0.offset == 0 ? old.label : nil, words: $0.element, line: old.line)
      }
    }

    /// Checks the port before the `emit`s that belong to the last `tx`, so that
    /// the engine can still run them as one.
    private func insertGuard(
      _ code: inout [PipelineSpec.Instruction], _ tx: PipelineSpec.Instruction
    ) {
      var i = code.count - 1
      while code[i].label == nil, i > 0, code[i - 1].operation == "emit" { i -= 1 }
      let label = code[i].label
      code[i].label = nil
      code.insert(
        .init(
          label: label, words: ["jmpgt", Self.badPortLabel, tx.words[1], String(ports - 1)],
          line: tx.line), at: i)
    }

    private mutating func addPort() {
      guard let rx = spec.apply.first, rx.words.count == 2 else { return }
      let field = rx.words[1]
      let all = spec.apply.dropFirst() + spec.actions.flatMap(\.instructions)
      let isKey =
        spec.tables.contains { $0.key.contains { $0.field == field } }
        || spec.learners.contains { $0.key.contains(field) }
        || spec.selectors.contains { $0.fields.contains(field) || $0.group == field }
      readsPort = isKey || all.contains { $0.words.contains(field) }
      guard readsPort else { return }
      spec.apply.insert(
        contentsOf: [
          .init(words: ["extract", "h." + Self.header]),
          .init(words: ["mov", field, "h.\(Self.header).port"]),
        ], at: 1)
    }
  }
#endif
