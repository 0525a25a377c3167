#if DPDK
  import Core

  /// How to build a ``SWXDataplane``.
  public struct SWXOptions: Sendable {
    /// A short name for reports.
    public var name = "dpdk"
    /// Ports 0..<ports exist. At most 65,536.
    public var ports = 1024
    /// The engine's time is the time of the call, not the processor's. Not for
    /// pipelines with meters.
    public var virtualTime = true
    /// The count of cycles at time zero, in virtual time.
    public var clockStart = EngineClock.origin
    /// Sizes of tables and learners by name where they differ from the spec's.
    public var sizes: [String: Int] = [:]
    /// What updates are held to, where it says more than the spec: names of fields,
    /// and actions that are for misses only. It must describe the spec.
    public var contract: Contract?
    /// Memory that DPDK takes for itself, in megabytes. The first pipeline of the
    /// process decides.
    public var memoryMegabytes: UInt32 = 3072
    /// The 8-bit metadata field that says why a frame is dropped. By default
    /// `local_metadata_reason` if the pipeline has it.
    public var dropReasonField: String?
    /// What a frame finds in metadata that it has not written and in headers that
    /// it does not have, in virtual time: this byte. nil leaves what earlier
    /// frames left there, as the engine does in real time.
    public var staleByte: UInt8? = 0
    /// Looks at every frame before it enters; a reason drops it.
    public var gate: (@Sendable (UnsafeRawBufferPointer) -> DropReason?)?
    /// What a frame that has passed the gate is between. With it, frames of different
    /// conversations are in flight together, which is twice as fast; without it, frames
    /// go one by one, which is right for any pipeline. What comes out is the same, and
    /// so are the flows; only look-ups may be counted more often.
    public var ends: (@Sendable (UnsafeRawPointer) -> ConversationEnds)?

    public init() {}

    /// What `k8s_dp` needs.
    public static var k8sDP: SWXOptions {
      var options = SWXOptions()
      options.contract = K8sDP.contract
      options.gate = { frame in
        frame.baseAddress.map { FrameGate.check($0, length: frame.count) } ?? .truncated
      }
      options.ends = { ConversationEnds($0) }
      return options
    }
  }
#endif
