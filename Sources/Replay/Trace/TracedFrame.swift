import Core

/// A frame, the steps it took and what became of it.
public struct TracedFrame: Hashable, Sendable, Encodable {
  public var frame: InputFrame
  public var verdict: Verdict
  public var steps: [TraceStep]

  public init(_ frame: InputFrame, verdict: Verdict, steps: [TraceStep]) {
    self.frame = frame
    self.verdict = verdict
    self.steps = steps
  }

  /// A heading, a line for each step, and the verdict. No newline at the end.
  public var text: String {
    let heading = TraceText.heading(frame)
    let lines = steps.map { "  " + TraceText.line($0) }
    return ([heading] + lines + ["  " + TraceText.verdict(verdict)]).joined(separator: "\n")
  }

  private enum CodingKeys: String, CodingKey {
    case frame, time, port, file
    case fileFrame = "file_frame"
    case summary, steps, verdict
  }

  private struct Step: Encodable {
    var table: String?
    var outcome: String?
    var action: String?
    var text: String
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(frame.number, forKey: .frame)
    try container.encode(TraceText.seconds(frame.time), forKey: .time)
    try container.encode(frame.port, forKey: .port)
    try container.encode(frame.source, forKey: .file)
    try container.encode(frame.sourceNumber, forKey: .fileFrame)
    try container.encode(FrameSummary.describe(frame.bytes), forKey: .summary)
    let plain = steps.map { step in
      Step(
        table: step.table, outcome: step.outcome == .none ? nil : step.outcome.rawValue,
        action: step.action, text: step.text)
    }
    try container.encode(plain, forKey: .steps)
    try container.encode(VerdictText(verdict), forKey: .verdict)
  }
}

/// A verdict in JSON: `{"forward": 3}` or `{"drop": "no_endpoint"}`.
struct VerdictText: Hashable, Sendable, Encodable {
  var forward: PortID?
  var drop: String?

  init(_ verdict: Verdict) {
    switch verdict {
    case .forward(let port): forward = port
    case .drop(let reason): drop = reason.name
    }
  }
}
