#if DPDK
  import Core

  /// What can be said about a spec's code without running it.
  struct SpecFlow {
    /// The most bytes of headers that one frame can have extracted.
    private(set) var extractedBytes = 0
    let spec: PipelineSpec

    /// - Throws: for code that loops, that reads further behind a frame than the
    ///   tailroom, or that uses instructions this host does not offer.
    init(_ spec: PipelineSpec) throws(DataplaneError) {
      self.spec = spec
      for code in spec.actions.map(\.instructions) + [spec.apply] {
        for instruction in code {
          if ["mirror", "recirculate", "extern"].contains(instruction.operation) {
            throw DataplaneError(
              .unimplemented, "\(spec.source):\(instruction.line)",
              "'\(instruction.operation)' is not offered by this host")
          }
        }
        extractedBytes = max(extractedBytes, try longestPath(code))
      }
      if let object = spec.externs.first {
        throw DataplaneError(
          .unimplemented, "\(spec.source):\(object.line)", "no external type '\(object.type)'")
      }
      guard extractedBytes <= FrameBatch.tailroom else {
        throw DataplaneError(
          .unimplemented, spec.source,
          "a frame can have \(extractedBytes) bytes of headers; this host takes \(FrameBatch.tailroom)"
        )
      }
      let added = spec.headers.filter { header in
        (spec.actions.flatMap(\.instructions) + spec.apply).contains {
          $0.words == ["validate", "h." + header.name]
        }
      }
      let room = added.reduce(0) { $0 + (spec.structure($1.type)?.bytes ?? 0) }
      guard room <= FrameBatch.headroom - SpecAdapter.portHeaderBytes else {
        throw DataplaneError(
          .unimplemented, spec.source, "adds \(room) bytes of headers, more than the headroom")
      }
    }

    private enum Mark {
      case new, open
      case done(Int)
    }

    /// The most header bytes extracted on a path to the end of a block.
    private func longestPath(_ code: [PipelineSpec.Instruction]) throws(DataplaneError) -> Int {
      var labels: [String: Int] = [:]
      for (i, instruction) in code.enumerated() {
        if let label = instruction.label { labels[label] = i }
      }
      var marks = [Mark](repeating: .new, count: code.count)
      // An explicit stack: a block may be long.
      var stack: [Int] = code.isEmpty ? [] : [0]
      while let i = stack.last {
        if case .done = marks[i] {
          stack.removeLast()
          continue
        }
        var next: [Int] = []
        if code[i].isJump, let target = labels[code[i].words[1]] { next.append(target) }
        if !code[i].isFinal, i + 1 < code.count { next.append(i + 1) }
        if case .open = marks[i] {
          var best = 0
          for n in next { if case .done(let bytes) = marks[n] { best = max(best, bytes) } }
          marks[i] = .done(best + bytes(code[i]))
          stack.removeLast()
          continue
        }
        marks[i] = .open
        for n in next {
          switch marks[n] {
          case .new: stack.append(n)
          case .open:
            throw DataplaneError(
              .invalidArgument, "\(spec.source):\(code[i].line)", "the code can loop forever")
          case .done: break
          }
        }
      }
      if let first = marks.first, case .done(let bytes) = first { return bytes }
      return 0
    }

    private func bytes(_ instruction: PipelineSpec.Instruction) -> Int {
      guard ["extract", "lookahead"].contains(instruction.operation) else { return 0 }
      let name = instruction.words[1].dropFirst(2)
      return spec.header(String(name)).flatMap { spec.structure($0.type) }?.bytes ?? 0
    }
  }
#endif
