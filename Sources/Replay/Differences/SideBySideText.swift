import Core

/// A frame with upstream's trace on the left and ours on the right.
struct SideBySideText {
  /// Characters.
  static let leftWidth = 54
  static let rightWidth = 78
  /// Of what the tables have not got.
  static let listed = 2

  let frame: SideBySide.Frame
  /// The most steps of a trace to show; the rest is counted.
  var steps = Int.max

  /// The frame as it came in, then the columns. No newline at the end.
  var text: String {
    var lines = [TraceText.heading(frame.input)]
    let left = frame.upstream.map { ["upstream"] + notes + column($0) } ?? []
    let right = ["ours", frame.ours.trace?.explanation ?? ""] + column(frame.ours)
    let (a, b) = (
      left.flatMap { Self.wrap($0, Self.leftWidth) },
      right.flatMap { Self.wrap($0, Self.rightWidth) }
    )
    for i in 0..<max(a.count, b.count) {
      let start = i < a.count ? a[i] : ""
      let end = i < b.count ? b[i] : ""
      let padding = String(repeating: " ", count: max(0, Self.leftWidth - start.count))
      lines.append((start + padding + " │ " + end).trimmingSuffix(" "))
    }
    return lines.joined(separator: "\n")
  }

  /// What upstream's tables have not got.
  private var notes: [String] {
    let rest = frame.refused.count - Self.listed
    return frame.refused.prefix(Self.listed).map { "! \($0)" }
      + (rest > 0 ? ["! and \(rest) more"] : [])
  }

  private func column(_ result: FrameResult) -> [String] {
    var lines = TraceText.lines(result.trace?.steps ?? [])
    if lines.count > steps {
      let rest = lines.count - steps
      lines = lines.prefix(steps) + ["… \(rest) more \(rest == 1 ? "step" : "steps")"]
    }
    return lines + outcome(result)
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
    if let ttl = FrameLayers(new).ttl { lines.append("  TTL \(ttl)") }
    if isSourceMACOfNote { lines.append("  source MAC \(mac(result))") }
    let before = ChecksumVerifier.problems(in: old)
    if before.isEmpty {
      lines += ChecksumVerifier.problems(in: new).map { "  " + $0 }
    }
    return lines
  }

  private func mac(_ result: FrameResult) -> String {
    FrameFact.measured(.sourceMAC, of: result, input: frame.input.bytes).value
  }

  /// Whether it is not the same on both sides, or a group address.
  private var isSourceMACOfNote: Bool {
    let forwarded = [frame.ours, frame.upstream].compactMap(\.self).filter { mac($0) != "none" }
    let isGroup = forwarded.contains {
      FrameLayers($0.bytes).mac(EthernetHeader.source)?.isGroup == true
    }
    return isGroup || Set(forwarded.map(mac)).count > 1
  }

  /// Breaks a line between words; what follows is indented further.
  static func wrap(_ line: String, _ width: Int, hanging: Int = 4) -> [String] {
    var line = line.trimmingSuffix(" ")
    guard line.count > width else { return [line] }
    let indent = String(line.prefix { $0 == " " })
    // Columns are given up first.
    line = indent + line.split(separator: " ").joined(separator: " ")
    var lines: [String] = []
    var rest = Substring(line)
    while rest.count > width {
      let head = rest.prefix(width + 1)
      guard let space = head.lastIndex(of: " "),
        head[..<space].contains(where: { $0 != " " })
      else { break }
      lines.append(String(rest[..<space]).trimmingSuffix(" "))
      rest = Substring(
        indent + String(repeating: " ", count: hanging)
          + rest[rest.index(after: space)...].drop { $0 == " " })
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
