import Core

/// Sends captures through `k8s_dp`, on the model and on DPDK, and through upstream's
/// pipeline on the same DPDK, and keeps what each made of every frame.
public struct SideBySide {
  /// A frame and what became of it.
  public struct Frame: Hashable, Sendable {
    public var input: InputFrame
    /// The model's.
    public var ours: FrameResult
    /// nil in builds without DPDK.
    public var dpdk: FrameResult?
    /// nil when there is no pipeline of upstream's.
    public var upstream: FrameResult?
    /// What upstream's tables have not got of the intent in force.
    public var refused: [String]

    /// Whether ours and upstream's are the same answer.
    public var isSame: Bool { upstream.map { ours.agrees(with: $0) } ?? true }
  }

  public var run: ReplayRun
  /// Upstream's pipeline, from its `.pb.bin`.
  public var upstream: PipelineSpec?
  public var control: UpstreamControl
  /// Sizes of our tables, where they differ from the contract's.
  public var sizes: [String: Int]

  public init(
    run: ReplayRun, upstream: PipelineSpec?, control: UpstreamControl = .careful,
    sizes: [String: Int] = [:]
  ) {
    self.run = run
    self.upstream = upstream
    self.control = control
    self.sizes = sizes
  }

  /// - Parameter wanted: the numbers of the frames to trace and keep, from 1; nil
  ///   keeps all.
  /// - Throws: also when a frame is not in the input, or when model and DPDK differ.
  public func frames(_ wanted: Set<Int>? = nil) throws(ReplayError) -> [Frame] {
    let factory = DataplaneFactory.k8sDP(sizes: sizes, ports: run.state.ports)
    var loaded: [LoadedDataplane]
    if DataplaneFactory.hasDPDK {
      let pair = try factory.makePair("model", "dpdk")
      loaded = [pair.left, pair.right]
    } else {
      loaded = [try factory.make("model")]
    }
    var controller: UpstreamController?
    if let upstream {
      let made = try UpstreamController(pipeline: upstream, control, ports: run.state.ports)
      loaded.append(made.loaded)
      controller = made
    }
    var frames: [Frame] = []
    let last = wanted?.max() ?? .max
    let outcome = try run.run(loaded) { (input, names) throws(ReplayError) in
      let isWanted = wanted?.contains(input.number) ?? true
      var results = loaded.map { push(input, through: $0.dataplane, isTraced: isWanted, names) }
      let ours = results.removeFirst()
      let upstream = controller == nil ? nil : results.removeLast()
      let dpdk = results.first
      if let dpdk, !ours.agrees(with: dpdk) {
        throw ReplayError(
          "frame \(input.number)",
          "model and dpdk differ on it; see k8sdp compare, and report this as a bug")
      }
      if isWanted {
        frames.append(
          Frame(
            input: input, ours: ours, dpdk: dpdk, upstream: upstream,
            refused: controller?.refused ?? []))
      }
      return input.number < last
    }
    if let missing = wanted?.subtracting(frames.map(\.input.number)).min() {
      throw ReplayError(
        "frame \(missing)", "is not in the input, which has frames 1 to \(outcome.frames)")
    }
    return frames
  }

  private func push(
    _ frame: InputFrame, through dataplane: any Dataplane, isTraced: Bool, _ names: NameBook
  ) -> FrameResult {
    var bytes = frame.bytes
    guard isTraced, let tracing = dataplane as? any TracingDataplane else {
      let verdict = dataplane.process(&bytes, port: frame.port, at: frame.time)
      return FrameResult(verdict: verdict, bytes: bytes)
    }
    let trace = tracing.trace(&bytes, port: frame.port, at: frame.time, names: names)
    return FrameResult(verdict: trace.verdict, bytes: bytes, trace: trace)
  }
}
