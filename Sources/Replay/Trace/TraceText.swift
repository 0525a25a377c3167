import Core
import Foundation

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
      + PacketSummary.line(frame.bytes)
  }

  /// Seconds with nine decimals.
  public static func seconds(_ time: Timestamp) -> String {
    let (whole, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest)
    return "\(whole)." + String(repeating: "0", count: 9 - digits.count) + digits
  }

  /// Steps in columns: table, hit or miss, action, words.
  ///
  /// ```
  /// TCP SYN: opens a connection
  /// services  hit   service_select  TCP web 10.96.0.80:80 is group 3
  /// flows     miss  flow_miss       no flow
  /// ```
  public static func lines(_ steps: [TraceStep]) -> [String] {
    let rows = steps.map { step in
      [
        step.table ?? "", step.outcome == .none ? "" : step.outcome.rawValue, step.action ?? "",
        step.text,
      ]
    }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return zip(steps, rows).map { step, row in
      if step.table == nil { return step.text }
      return (0..<3).map { row[$0].padding(toLength: widths[$0] + 2, withPad: " ", startingAt: 0) }
        .joined() + row[3]
    }
  }

  public static func verdict(_ verdict: Verdict) -> String {
    switch verdict {
    case .forward(let port): "forwarded to port \(port)"
    case .drop(let reason): "dropped: \(reason.name)"
    }
  }
}
