import Core

/// A comparison for the terminal.
extension Comparison {
  /// The table, then the first difference in full.
  public var text: String {
    var table = TextTable()
    table.add("", [left.name, right.name])
    table.add("frames", outcome.frames, outcome.frames)
    table.add("forwarded", left.forwardedTotal, right.forwardedTotal)
    for port in Set(left.forwarded.keys).union(right.forwarded.keys).sorted() {
      table.add("  port \(port)", left.forwarded[port] ?? 0, right.forwarded[port] ?? 0)
    }
    table.add("dropped", left.droppedTotal, right.droppedTotal)
    for reason in reasons {
      table.add("  \(reason.name)", left.dropped[reason] ?? 0, right.dropped[reason] ?? 0)
    }
    return table.text + "\n" + conclusion + "\n" + firstFrameText + stateText
  }

  /// Reasons that either side gave, in order of their numbers.
  var reasons: [DropReason] {
    DropReason.allCases.filter { left.dropped[$0] != nil || right.dropped[$0] != nil }
  }

  /// One sentence.
  public var conclusion: String {
    if isEqual {
      return "\(left.name) and \(right.name) agree on every frame"
        + (hasState ? ", learned entry and counter." : hasEntries ? " and learned entry." : ".")
    }
    var parts: [String] = []
    if differingFrames > 0 {
      parts.append(
        "\(TextTable.grouped(differingFrames)) of "
          + "\(TextTable.grouped(outcome.frames)) frames")
    }
    if !stateDifferences.isEmpty {
      let count = stateDifferences.count
      parts.append(
        count == 1
          ? "one learned entry or counter"
          : "\(TextTable.grouped(count)) learned entries or counters")
    }
    return "\(left.name) and \(right.name) differ in \(parts.joined(separator: " and "))."
  }

  private var firstFrameText: String {
    guard let first = frameDifferences.first else { return "" }
    var text = "\nFirst difference: \(TraceText.heading(first.frame))\n"
    text += "  \(first.frame.source), frame \(first.frame.sourceNumber)\n"
    text += "  \(left.name): \(TraceText.verdict(first.left.verdict))\n"
    text += "  \(right.name): \(TraceText.verdict(first.right.verdict))\n"
    for (side, result) in [(left, first.left), (right, first.right)] {
      guard let trace = result.trace else { continue }
      text += "  \(side.name) says: \(trace.explanation)\n"
      text += TraceText.lines(trace.steps).map { "    \($0)\n" }.joined()
    }
    guard let diff = first.hexDiff else { return text }
    let names = FrameFields(first.left.bytes).names(of: diff.offsets).joined(separator: ", ")
    let count = diff.offsets.count
    text += "  \(count) \(count == 1 ? "byte differs" : "bytes differ"): \(names)\n"
    return text + diff.text(left: left.name, right: right.name)
  }

  private var stateText: String {
    guard !stateDifferences.isEmpty else { return "" }
    let after = stateDifferenceFrame.map { "After frame \($0)" } ?? "At the end"
    var text = "\n\(after), learned entries and counters that differ:\n"
    for difference in stateDifferences.prefix(20) {
      text += "  \(difference.what)\n"
      text += "    \(left.name): \(difference.left ?? "none")\n"
      text += "    \(right.name): \(difference.right ?? "none")\n"
    }
    let rest = stateDifferences.count - 20
    return rest > 0 ? text + "  and \(TextTable.grouped(rest)) more\n" : text
  }
}

extension FrameDifference {
  /// The bytes side by side, when both sides forwarded the frame and changed it
  /// differently.
  public var hexDiff: HexDiff? {
    guard case .forward = left.verdict, case .forward = right.verdict, left.bytes != right.bytes
    else { return nil }
    return HexDiff(left.bytes, right.bytes)
  }
}
