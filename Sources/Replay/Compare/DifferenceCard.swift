import Core

/// One differing frame on a comparison's page: both verdicts, both traces, and
/// the bytes.
struct DifferenceCard {
  private let difference: FrameDifference
  private let left: String
  private let right: String

  init(_ difference: FrameDifference, _ left: String, _ right: String) {
    self.difference = difference
    self.left = left
    self.right = right
  }

  var html: String {
    let frame = difference.frame
    let heading =
      HTML.text("h3", "Frame \(frame.number): \(PacketSummary.line(frame.bytes))")
      + HTML.text(
        "p", class: "quiet break",
        "\(TraceText.seconds(frame.time)) s, in on port \(frame.port), \(frame.source) frame "
          + "\(frame.sourceNumber), \(frame.bytes.count) bytes")
    let sides = HTML.element(
      "div", class: "sides", side(left, difference.left) + side(right, difference.right))
    return
      "<section class=\"card\" id=\"frame-\(frame.number)\">\(heading)\(sides)\(bytes)</section>"
  }

  private func side(_ name: String, _ result: FrameResult) -> String {
    var html = HTML.text("div", class: "quiet", name)
    html += HTML.text("div", class: "verdict", TraceText.verdict(result.verdict))
    if let trace = result.trace {
      html += HTML.text("p", trace.explanation)
      html += HTML.element("ol", class: "steps", trace.steps.map(item).joined())
    } else {
      html += HTML.text("p", class: "quiet", "No trace from this dataplane.")
    }
    return HTML.element("div", html)
  }

  private func item(_ step: TraceStep) -> String {
    var head = step.table ?? ""
    if step.outcome != .none { head += " \(step.outcome.rawValue)" }
    if let action = step.action { head += " → \(action)" }
    let place = head.isEmpty ? "" : HTML.text("div", class: "where", head)
    return HTML.element("li", place + HTML.escape(step.text))
  }

  private var bytes: String {
    guard let diff = difference.hexDiff else { return "" }
    let names = FrameFields(difference.left.bytes).names(of: diff.offsets)
    let count = diff.offsets.count
    let heading = HTML.text(
      "div", class: "verdict",
      "\(count) \(count == 1 ? "byte differs" : "bytes differ"): "
        + names.joined(separator: ", "))
    let offset = HTML.text("td", "")
    var rows = HTML.element(
      "tr", class: "same", offset + HTML.text("td", left) + HTML.text("td", right))
    var expected = diff.rows.first?.offset ?? 0
    for row in diff.rows {
      if row.offset != expected {
        rows += HTML.element("tr", class: "same", HTML.text("td", "⋮") + "<td></td><td></td>")
      }
      expected = row.offset + 16
      rows += HTML.element(
        "tr", class: row.differs ? nil : "same",
        HTML.text("td", class: "offset", HexDiff.offset(row.offset))
          + HTML.element("td", cells(row.left, row)) + HTML.element("td", cells(row.right, row)))
    }
    return HTML.element("div", class: "hex scroll", heading + HTML.element("table", rows))
  }

  private func cells(_ bytes: [UInt8?], _ row: HexDiff.Row) -> String {
    bytes.indices.map { i in
      let text = HexDiff.hex(bytes[i])
      return row.differs(i) ? HTML.element("mark", text) : text
    }.joined(separator: " ")
  }
}
