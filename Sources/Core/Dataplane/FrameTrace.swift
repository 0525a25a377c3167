/// What a dataplane did with a frame, and why.
public struct FrameTrace: Hashable, Sendable {
  public var verdict: Verdict
  /// The whole story in one line: "SYN to VIP web 10.96.0.80:80 → endpoint web-2
  /// 10.244.0.8:8080 (hash 0x1f3 of group 3) → … → port 4".
  public var explanation: String
  /// Every look-up on the way, in order.
  public var steps: [TraceStep]

  public init(verdict: Verdict, explanation: String, steps: [TraceStep]) {
    self.verdict = verdict
    self.explanation = explanation
    self.steps = steps
  }
}

/// One step of a frame through the pipeline, for people and for machines.
public struct TraceStep: Hashable, Sendable {
  public enum Outcome: String, Hashable, Sendable { case hit, miss, none }

  /// The table looked up, or nil for a step between tables.
  public var table: String?
  public var outcome: Outcome
  /// The action that ran, or nil.
  public var action: String?
  /// The step in words: "VIP web 10.96.0.80:80 → endpoint web-2 10.244.0.8:8080 (hash 0x1f3)".
  public var text: String

  public init(table: String? = nil, outcome: Outcome = .none, action: String? = nil, text: String) {
    self.table = table
    self.outcome = outcome
    self.action = action
    self.text = text
  }
}

/// A dataplane that can say what it did with a frame.
public protocol TracingDataplane: Dataplane {
  /// As ``Dataplane/process(_:port:at:)``, with the steps it took.
  ///
  /// - Parameter names: Turns addresses into the names people know them by.
  func trace(
    _ frame: inout [UInt8], port: PortID, at time: Timestamp, names: NameBook
  ) -> FrameTrace
}

/// Names of pods, endpoints and Services, for traces.
public struct NameBook: Hashable, Sendable {
  /// Address (host order) → name of the pod, host or gateway.
  public var addresses: [UInt32: String] = [:]
  /// Address (host order) → name of the Service.
  public var services: [UInt32: String] = [:]
  public init() {}
}
