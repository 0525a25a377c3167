import Core

/// `k8sdp replay`: captures in, one capture a port and a summary out.
public struct Replayer {
  public var run: ReplayRun
  /// Whether each packet's comment tells how it went through the pipeline.
  public var annotate: Bool

  public init(run: ReplayRun, annotate: Bool = false) {
    self.run = run
    self.annotate = annotate
  }

  /// Replays into a folder, which is made if it is not there.
  ///
  /// - Throws: And then leaves nothing new in the folder.
  public func replay(_ loaded: LoadedDataplane, into folder: String) throws(ReplayError)
    -> ReplaySummary
  {
    let tracing = try annotate ? TraceText.tracing(loaded.dataplane) : nil
    let output = try OutputFolder(path: folder)
    do {
      var summary = ReplaySummary()
      let outcome = try run.run([loaded]) { (frame, names) throws(ReplayError) in
        var bytes = frame.bytes
        var comments: [String] = []
        let verdict: Verdict
        if let tracing {
          let trace = tracing.trace(&bytes, port: frame.port, at: frame.time, names: names)
          verdict = trace.verdict
          comments = TracedFrame(frame, trace).comments
        } else {
          verdict = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time)
        }
        summary.count(verdict)
        if case .forward(let port) = verdict {
          try output.write(bytes, port: port, nanoseconds: frame.nanoseconds, comments: comments)
        }
        return true
      }
      run.warn(outcome)
      summary.flows = loaded.dataplane.learnedEntries(at: outcome.end).count
      summary.clampedTimes = outcome.clamped
      summary.events = outcome.eventsApplied
      try output.publish(summary: summary)
      return summary
    } catch {
      output.discard()
      throw error
    }
  }
}
