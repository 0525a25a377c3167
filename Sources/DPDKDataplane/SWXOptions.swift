#if DPDK
  import Core

  /// How to build a ``SWXDataplane``.
  public struct SWXOptions: Sendable {
    /// A short name for reports.
    public var name = "dpdk"
    /// Ports 0..<ports exist. At most 65,536.
    public var ports = 1024
    /// The engine's time is the time of the call, not the processor's. Frames
    /// then go through one by one. Not for pipelines with meters.
    public var virtualTime = true
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

    public init() {}
  }
#endif
