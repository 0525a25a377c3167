import Core

/// The words in which frames, steps and verdicts are shown.
public enum TraceText {
  /// The dataplane as one that traces.
  public static func tracing(_ dataplane: any Dataplane) throws(ReplayError)
    -> any TracingDataplane
  {
    guard let tracing = dataplane as? any TracingDataplane else {
      throw ReplayError(
        "dataplane \(dataplane.name)", "cannot trace; trace with --dataplane model")
    }
    return tracing
  }

  /// `#12  0.000153000  port 2  TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN]`.
  public static func heading(_ frame: InputFrame) -> String {
    "#\(frame.number)  \(seconds(frame.time))  port \(frame.port)  "
      + FrameSummary.describe(frame.bytes)
  }

  /// Seconds with nine decimals.
  public static func seconds(_ time: Timestamp) -> String {
    let (whole, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest)
    return "\(whole)." + String(repeating: "0", count: 9 - digits.count) + digits
  }

  /// `flow miss → service: VIP web 10.96.0.80:80`.
  public static func line(_ step: TraceStep) -> String {
    var head = step.table ?? ""
    if step.outcome != .none { head += (head.isEmpty ? "" : " ") + step.outcome.rawValue }
    if let action = step.action { head += (head.isEmpty ? "" : " ") + "→ \(action)" }
    return head.isEmpty ? step.text : "\(head): \(step.text)"
  }

  public static func verdict(_ verdict: Verdict) -> String {
    switch verdict {
    case .forward(let port): "forwarded to port \(port)"
    case .drop(let reason): "dropped: \(reason.name)"
    }
  }
}
