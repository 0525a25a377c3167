import Core

/// A comparison as one HTML file that needs nothing else: `--report`.
public struct ComparisonPage {
  private let comparison: Comparison
  private let run: ReplayRun

  public init(_ comparison: Comparison, run: ReplayRun) {
    self.comparison = comparison
    self.run = run
  }

  /// The page. The same comparison gives the same bytes.
  public var html: String {
    let title = "\(comparison.left.name) and \(comparison.right.name) compared"
    let style = comparison.isEqual ? "good" : "bad"
    let body = [
      HTML.text("h1", title),
      HTML.text("p", class: "quiet", "k8s_dp on \(frames(comparison.outcome.frames))"),
      HTML.text("div", class: "banner \(style)", comparison.conclusion),
      inputs, totals, differences, states, list,
    ]
    return HTML.page(
      title: title, style: ComparisonStyle.css, body: body.joined(separator: "\n"))
  }

  private var inputs: String {
    var rows = row("State", run.state.path)
    for input in run.inputs { rows += row("Port \(input.port)", input.path) }
    let last = TraceText.seconds(comparison.outcome.end)
    rows += row("Time", "\(last) s from the first frame to the last")
    let outcome = comparison.outcome
    if !run.state.events.isEmpty {
      rows += row(
        "Changes",
        "\(outcome.eventsApplied) made, \(outcome.eventsNotReached) later than the last frame")
    }
    if outcome.clamped > 0 {
      rows += row("Times", "\(frames(outcome.clamped)) went backwards in time and were raised")
    }
    return HTML.text("h2", "What was replayed")
      + HTML.element("div", class: "card scroll", HTML.element("table", rows))
  }

  private func row(_ label: String, _ text: String) -> String {
    HTML.element(
      "tr", HTML.text("th", label) + HTML.element("td", class: "break", HTML.text("code", text)))
  }

  private var totals: String {
    let (a, b) = (comparison.left, comparison.right)
    var rows = HTML.element(
      "tr",
      "<th></th>" + HTML.text("th", class: "number", a.name)
        + HTML.text("th", class: "number", b.name))
    rows += total("Frames", comparison.outcome.frames, comparison.outcome.frames)
    rows += total("Forwarded", a.forwardedTotal, b.forwardedTotal)
    for port in Set(a.forwarded.keys).union(b.forwarded.keys).sorted() {
      rows += total(
        "port \(port)", a.forwarded[port] ?? 0, b.forwarded[port] ?? 0, sub: true)
    }
    rows += total("Dropped", a.droppedTotal, b.droppedTotal)
    for reason in comparison.reasons {
      rows += total(reason.name, a.dropped[reason] ?? 0, b.dropped[reason] ?? 0, sub: true)
    }
    return HTML.text("h2", "Totals")
      + HTML.element(
        "div", class: "card scroll", HTML.element("table", class: "totals", rows))
  }

  private func total(_ label: String, _ left: Int, _ right: Int, sub: Bool = false) -> String {
    let style = [sub ? "sub" : nil, left != right ? "differs" : nil].compactMap(\.self)
    return HTML.element(
      "tr", class: style.isEmpty ? nil : style.joined(separator: " "),
      HTML.text("td", label) + HTML.text("td", class: "number", TextTable.grouped(left))
        + HTML.text("td", class: "number", TextTable.grouped(right)))
  }

  private var differences: String {
    guard comparison.differingFrames > 0 else { return "" }
    let shown = comparison.frameDifferences
    var text = HTML.text("h2", "Frames that differ")
    if comparison.differingFrames > shown.count {
      text += HTML.text(
        "p", class: "quiet",
        "The first \(shown.count) of \(TextTable.grouped(comparison.differingFrames)).")
    }
    return text
      + shown.map { DifferenceCard($0, comparison.left.name, comparison.right.name).html }
      .joined(separator: "\n")
  }

  private var states: String {
    guard !comparison.stateDifferences.isEmpty else { return "" }
    var rows = HTML.element(
      "tr",
      "<th></th>" + HTML.text("th", comparison.left.name)
        + HTML.text("th", comparison.right.name))
    for difference in comparison.stateDifferences.prefix(100) {
      let cells = [difference.what, difference.left ?? "none", difference.right ?? "none"]
      rows += HTML.element(
        "tr",
        cells.map { HTML.element("td", class: "break", HTML.text("code", $0)) }.joined())
    }
    let after = comparison.stateDifferenceFrame.map { "after frame \($0)" } ?? "at the end"
    let rest = comparison.stateDifferences.count - 100
    let more = rest > 0 ? HTML.text("p", class: "quiet", "And \(rest) more.") : ""
    return HTML.text("h2", "Learned entries and counters that differ \(after)")
      + HTML.element("div", class: "card scroll", HTML.element("table", rows) + more)
  }

  private var list: String {
    let rows = comparison.rows
    guard !rows.isEmpty else { return "" }
    let linked = Set(comparison.frameDifferences.map(\.frame.number))
    var html = HTML.element(
      "tr",
      HTML.text("th", class: "number", "#") + HTML.text("th", class: "number", "seconds")
        + HTML.text("th", class: "number", "port") + HTML.text("th", "frame")
        + HTML.text("th", "verdict"))
    for row in rows {
      let number = "\(row.frame.number)"
      let link =
        linked.contains(row.frame.number)
        ? "<a href=\"#frame-\(number)\">\(number)</a>" : number
      var verdict = short(row.left)
      if row.left != row.right {
        verdict =
          "\(comparison.left.name) \(verdict), \(comparison.right.name) "
          + short(row.right)
      } else if !row.agrees {
        verdict += ", other bytes"
      }
      html += HTML.element(
        "tr", class: row.agrees ? nil : "differs",
        HTML.element("td", class: "number", link)
          + HTML.text("td", class: "number", TraceText.seconds(row.frame.time))
          + HTML.text("td", class: "number", "\(row.frame.port)")
          + HTML.text("td", class: "wide", PacketSummary.line(row.frame.bytes))
          + HTML.text("td", verdict))
    }
    let more =
      comparison.outcome.frames > rows.count
      ? HTML.text("p", class: "quiet", "The first \(rows.count) frames.") : ""
    return HTML.text("h2", "Frames") + more
      + HTML.element(
        "div", class: "card scroll", HTML.element("table", class: "frames", html))
  }

  private func short(_ verdict: Verdict) -> String {
    switch verdict {
    case .forward(let port): "→ port \(port)"
    case .drop(let reason): "✕ \(reason.name)"
    }
  }

  private func frames(_ count: Int) -> String {
    "\(TextTable.grouped(count)) \(count == 1 ? "frame" : "frames")"
  }
}
