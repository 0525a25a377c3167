import Core

extension SimDataplane: TracingDataplane {
  public func trace(
    _ frame: inout [UInt8], port: PortID, at time: Timestamp, names: NameBook
  ) -> FrameTrace {
    var list = EventList()
    let verdict = run(&frame, at: time, &list)
    let words = TraceWords(names: names, seconds: timerSeconds)
    return FrameTrace(
      verdict: verdict, explanation: Explanation(words).line(of: list.events, verdict),
      steps: list.events.map(Narrator(words: words).step))
  }
}
