import Core

/// `k8sdp trace`: what happened to each frame, and why.
public struct Tracer {
  public var run: ReplayRun

  public init(run: ReplayRun) { self.run = run }

  /// Traces every frame, or only the one of the given number (from 1); the
  /// frames before it go through as well, since they make the flows it meets.
  ///
  /// - Throws: When there is no frame of that number.
  public func trace(
    _ loaded: LoadedDataplane, only number: Int? = nil,
    _ body: (TracedFrame) throws(ReplayError) -> Void
  ) throws(ReplayError) {
    let tracing = try TraceText.tracing(loaded.dataplane)
    var found = false
    let outcome = try run.run([loaded]) { (frame, names) throws(ReplayError) in
      var bytes = frame.bytes
      guard number == nil || number == frame.number else {
        _ = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time)
        return true
      }
      let trace = tracing.trace(&bytes, port: frame.port, at: frame.time, names: names)
      try body(TracedFrame(frame, trace))
      found = true
      return number == nil
    }
    if number == nil { run.warn(outcome) }
    if let number, !found {
      let range = outcome.frames == 0 ? "no frames" : "frames 1 to \(outcome.frames)"
      throw ReplayError("--frame \(number)", "is not in the input, which has \(range)")
    }
  }
}
