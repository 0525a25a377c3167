import Core

/// A frame with upstream's trace on the left and ours on the right.
struct SideBySideText {
  /// Characters.
  static let leftWidth = 54
  static let rightWidth = 78

  let frame: SideBySide.Frame

  /// The frame as it came in, then the columns. No newline at the end.
  var text: String {
    var lines = [TraceText.heading(frame.input)]
    let left = frame.upstream.map { column("upstream", $0, frame.refused) } ?? []
    let right = column("ours", frame.ours, [])
    let (a, b) = (
      left.flatMap { Self.wrap($0, Self.leftWidth) }, right.flatMap { Self.wrap($0, Self.rightWidth) }
    )
    for i in 0..<max(a.count, b.count) {
      let start = i < a.count ? a[i] : ""
      let end = i < b.count ? b[i] : ""
      let padding = String(repeating: " ", count: max(0, Self.leftWidth - start.count))
      lines.append((start + padding + " │ " + end).trimmingSuffix(" "))
    }
    return lines.joined(separator: "\n")
  }

  private func column(_ name: String, _ result: FrameResult, _ refused: [String]) -> [String] {
    [name] + refused.map { "! \($0)" } + TraceText.lines(result.trace?.steps ?? [])
      + outcome(result)
  }

  /// Where it went, and what became of it on the way.
  private func outcome(_ result: FrameResult) -> [String] {
    guard case .forward(let port) = result.verdict else {
      return ["⇒ " + TraceText.verdict(result.verdict)]
    }
    let (old, new) = (frame.input.bytes, result.bytes)
    let head = "⇒ port \(port)"
    guard old != new else { return [head + ", unchanged"] }
    var lines = ["\(head): \(PacketSummary.line(new))"]
    let changed = FrameFields(old).names(of: HexDiff(old, new).offsets)
    lines.append("  rewritten: " + changed.joined(separator: ", "))
    for key in ["ttl", "source MAC"] {
      guard let subject = FrameFact.Subject(rawValue: key) else { continue }
      let value = FrameFact.measured(subject, of: result, input: old).value
      if value != "none" { lines.append("  \(key == "ttl" ? "TTL" : key) \(value)") }
    }
    let before = ChecksumVerifier.problems(in: old)
    if before.isEmpty {
      lines += ChecksumVerifier.problems(in: new).map { "  " + $0 }
    }
    return lines
  }

  /// Breaks a line between words; what follows is indented by four more.
  static func wrap(_ line: String, _ width: Int) -> [String] {
    let line = line.trimmingSuffix(" ")
    guard line.count > width else { return [line] }
    let indent = String(line.prefix { $0 == " " })
    var lines: [String] = []
    var rest = Substring(line)
    while rest.count > width {
      let head = rest.prefix(width + 1)
      guard let space = head.lastIndex(of: " "),
        head[..<space].contains(where: { $0 != " " })
      else { break }
      lines.append(String(rest[..<space]).trimmingSuffix(" "))
      rest = Substring(indent + "    " + rest[rest.index(after: space)...].drop { $0 == " " })
    }
    return lines + [String(rest)]
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
