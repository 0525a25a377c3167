import Core
import InspectionProtos
import Replay

/// `k8sdp capture`: frames of a running node, to a file or to people.
public struct LiveCapture: Sendable {
  /// Which frames, and how much of them.
  public struct Options: Sendable {
    /// Ports by id, by name, or by the pod that is on them.
    public var ports: [String] = []
    public var lost = false
    public var reasons: [String] = []
    /// 0 is all of a frame.
    public var snapLength: UInt32 = 0
    /// 0 is no end.
    public var count: UInt64 = 0
    /// Nanoseconds; 0 is no end.
    public var duration: UInt64 = 0
    /// An expression of tcpdump.
    public var filter: String?
    public init() {}
  }

  /// What a capture came to.
  public struct Summary: Hashable, Sendable {
    public var frames: UInt64 = 0
    /// Frames that this program was too slow for.
    public var missed: UInt64 = 0
    /// Why the node told no more, when it should have.
    public var failure: ReplayError?

    public init() {}
  }

  /// What a frame is told of that the interface did not take.
  private static let refused = "refused"

  private let inspector: NodeInspector
  private let options: Options
  private let filter: [K8sdp_V1_CaptureRequest.Instruction]

  /// - Throws: for options that make no sense, before anybody is asked.
  public init(_ inspector: NodeInspector, _ options: Options) throws(ReplayError) {
    self.inspector = inspector
    self.options = options
    for reason in options.reasons
    where reason != Self.refused && !DropReason.allCases.contains(where: { $0.name == reason }) {
      let known = DropReason.allCases.map(\.name) + [Self.refused]
      throw ReplayError("--reason \(reason)", "is none of \(known.joined(separator: ", "))")
    }
    filter =
      try options.filter.map { text throws(ReplayError) in
        try FilterProgram(text).instructions
      } ?? []
  }

  /// Runs until its end, or the interruption.
  ///
  /// - Throws: when it does not begin, or what the sink throws.
  public func run(
    _ names: NodeNames, _ interruption: Interruption,
    into makeSink: @Sendable (NodeState) throws(ReplayError) -> any CaptureSink
  ) async throws(ReplayError) -> Summary {
    let state = try await inspector.status()
    let request = try self.request(state, names)
    let sink = try makeSink(state)
    let summary: Summary
    do { summary = try await read(request, sink, interruption) } catch {
      try? sink.end(Summary())
      throw error
    }
    try sink.end(summary)
    return summary
  }

  private func request(
    _ state: NodeState, _ names: NodeNames
  ) throws(ReplayError) -> K8sdp_V1_CaptureRequest {
    var ports: [PortID] = []
    for text in options.ports { ports.append(try Self.port(text, state, names)) }
    return .with {
      $0.ports = ports
      $0.lost = options.lost || !options.reasons.isEmpty
      $0.reasons = options.reasons
      $0.snapLength = options.snapLength
      $0.count = options.count
      $0.duration = options.duration
      $0.filter = filter
    }
  }

  /// A port by its id, its name, or the address or name of the pod that is on it.
  private static func port(
    _ text: String, _ state: NodeState, _ names: NodeNames
  ) throws(ReplayError) -> PortID {
    if let port = state.ports.first(where: { $0.name == text || "\($0.id)" == text }) {
      return port.id
    }
    let pod = try? names.podAddress(text)
    if let pod, let port = state.pods["\(pod)"] { return port }
    let known = state.ports.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
    throw ReplayError(
      "-i \(text)",
      "is no port and no pod; the node has the ports \(known.isEmpty ? "none" : known)")
  }

  private func read(
    _ request: K8sdp_V1_CaptureRequest, _ sink: any CaptureSink, _ interruption: Interruption
  ) async throws(ReplayError) -> Summary {
    let progress = Progress()
    do {
      try await interruption.ending { [inspector] in
        try await inspector.client.capture(request, options: inspector.options) { response in
          for try await message in response.messages {
            if !progress.hasBegun { try sink.begin() }
            progress.hasBegun = true
            for frame in message.frames {
              progress.summary.frames += 1
              try sink.take(LiveFrame(frame), number: progress.summary.frames)
            }
            progress.summary.missed = message.missed
            try sink.flush()
          }
        }
      }
    } catch {
      guard !interruption.isCalled, !(error is CaptureEnd) else { return progress.summary }
      // Nothing came: it never began.
      guard progress.hasBegun, !(error is ReplayError) else { throw inspector.explain(error) }
      progress.summary.failure = inspector.explain(error)
    }
    return progress.summary
  }

  /// Touched by the one who reads the stream, and after it.
  private final class Progress: @unchecked Sendable {
    var summary = Summary()
    var hasBegun = false
  }
}

/// Whoever reads what a sink writes wants no more.
public struct CaptureEnd: Error {
  public init() {}
}

/// Where frames go.
public protocol CaptureSink: AnyObject, Sendable {
  /// Frames are being looked at from now on.
  func begin() throws

  /// - Parameter number: from 1.
  func take(_ frame: LiveFrame, number: UInt64) throws

  /// What was taken is to be seen.
  func flush() throws

  func end(_ summary: LiveCapture.Summary) throws(ReplayError)
}
