import Core

/// A frame and what a dataplane did with it.
public struct TracedFrame: Hashable, Sendable, Encodable {
  public var frame: InputFrame
  public var trace: FrameTrace

  public init(_ frame: InputFrame, _ trace: FrameTrace) {
    self.frame = frame
    self.trace = trace
  }

  /// A heading, the explanation, and a line for each step. No newline at the end.
  public var text: String {
    let steps = TraceText.lines(trace.steps).map { "    " + $0 }
    return ([TraceText.heading(frame), "  " + trace.explanation] + steps)
      .joined(separator: "\n")
  }

  /// For Wireshark, which shows the frame itself: where it came in, the
  /// explanation, and the steps.
  public var comments: [String] {
    ["frame \(frame.number) of the input, in on port \(frame.port)", trace.explanation]
      + TraceText.lines(trace.steps)
  }

  private enum CodingKeys: String, CodingKey {
    case frame, time, port, file
    case fileFrame = "file_frame"
    case summary, explanation, steps, verdict
  }

  struct Step: Encodable {
    var table: String?
    var outcome: String?
    var action: String?
    var text: String

    init(_ step: TraceStep) {
      table = step.table
      outcome = step.outcome == .none ? nil : step.outcome.rawValue
      action = step.action
      text = step.text
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(frame.number, forKey: .frame)
    try container.encode(TraceText.seconds(frame.time), forKey: .time)
    try container.encode(frame.port, forKey: .port)
    try container.encode(frame.source, forKey: .file)
    try container.encode(frame.sourceNumber, forKey: .fileFrame)
    try container.encode(PacketSummary.line(frame.bytes), forKey: .summary)
    try container.encode(trace.explanation, forKey: .explanation)
    try container.encode(trace.steps.map(Step.init), forKey: .steps)
    try container.encode(VerdictText(trace.verdict), forKey: .verdict)
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
