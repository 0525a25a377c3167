#if DPDK
  import CSWX
  import Core

  /// A pipeline on DPDK's SWX engine, in this process.
  ///
  /// In virtual time (the default) one frame is in flight at a time and the
  /// engine sees the time of the call, so that results are those of the model. In
  /// real time the engine interleaves up to 16 frames of a batch: frames that
  /// take different paths can overtake each other, and the second frame of a flow
  /// may be looked up before the first one is learned, so results can differ from
  /// one frame at a time in those ways (swx-facts 4.8). ``process(_:port:at:)``
  /// has one frame in flight in both.
  ///
  /// One thread at a time.
  public final class SWXDataplane: Dataplane {
    public let name: String
    public let contract: Contract
    public let clock: EngineClock
    /// Ports 0..<ports exist.
    public let ports: Int

    let engine: SWXEngine
    var store: TableStore
    /// Selector → group → members, to go back to.
    var groups: [String: [UInt32: [GroupMember]]] = [:]
    /// Table → what a miss runs by the spec, and what it runs instead.
    var missActions:
      [String: (original: PipelineSpec.DefaultAction, present: PipelineSpec.DefaultAction?)]
    /// Table → what the pipeline keeps of its entries.
    let entryArrays: [String: EntryArrays]
    /// Table of rules → key → its place among them, from 1 on.
    var rulePlaces: [String: [[UInt64]: Int]] = [:]
    /// Array of meters → index → what is not the engine's own state. Others are as built.
    var meters: [String: [Int: MeterState]] = [:]
    var meterProfiles = MeterProfiles()
    /// Tables and learners in the order in which the pipeline first names them,
    /// each with the action that a miss runs.
    let lookUpOrder: [(table: String, missAction: String)]
    let portArguments: [String: [Int]]
    let registerSizes: [String: Int]
    let options: SWXOptions
    private let readsPort: Bool
    private let tracksHits: Bool
    /// Of the frames of a batch: two numbers each.
    private var ends: [ConversationEnds] = []
    private var slot = FrameBatch(capacity: 1, maximumLength: FrameBatch.longestFrame)

    /// Builds the pipeline.
    ///
    /// - Parameters:
    ///   - spec: The pipeline as `p4c-dpdk` wrote it.
    ///   - options: See ``SWXOptions``.
    /// - Throws: `DataplaneError` about the line of the spec or about DPDK.
    public init(
      spec: PipelineSpec, options: SWXOptions = SWXOptions()
    ) throws(DataplaneError) {
      let (resized, adapted) = try Self.prepare(spec, options)
      engine = try SWXEngine(
        adapted.spec, ports: options.ports, memory: options.memoryMegabytes)
      if options.virtualTime {
        guard spec.meters.isEmpty else {
          throw DataplaneError(
            .unimplemented, "virtual time", "meters run on the processor's; turn virtualTime off")
        }
        let status = cswx_enable_virtual_time()
        guard status == 0 else {
          throw DataplaneError(
            .unimplemented, "virtual time",
            "librte_pipeline cannot be given it: \(SWXEngine.text(status))")
        }
      }
      name = options.name
      ports = options.ports
      contract = options.contract?.resized(options.sizes) ?? resized.contract
      clock = EngineClock(hertz: cswx_hertz(), start: options.clockStart)
      store = TableStore(contract: contract)
      lookUpOrder = resized.lookUpOrder
      missActions = Dictionary(
        uniqueKeysWithValues: resized.tables.map { ($0.name, ($0.defaultAction, nil)) })
      portArguments = adapted.flow.arguments
      registerSizes = Dictionary(
        uniqueKeysWithValues: resized.registers.map { ($0.name, $0.size) })
      readsPort = adapted.readsPort
      tracksHits = !adapted.hits.isEmpty
      entryArrays = Self.entryArrays(resized, adapted.hits)
      self.options = options
      for table in resized.tables where !table.key.isEmpty {
        guard let index = engine.tableIndex[table.name] else { continue }
        if cswx_table_is_exact(engine.pointer, index) == 0 { rulePlaces[table.name] = [:] }
      }
    }

    /// Says why a pipeline cannot run here, short of building it: only whether its
    /// tables fit into memory shows when it is made.
    ///
    /// - Throws: `DataplaneError` as the initialiser does.
    public static func verify(
      spec: PipelineSpec, options: SWXOptions = SWXOptions()
    ) throws(DataplaneError) {
      _ = try prepare(spec, options)
    }

    private static func prepare(
      _ spec: PipelineSpec, _ options: SWXOptions
    ) throws(DataplaneError) -> (resized: PipelineSpec, adapted: SpecAdapter) {
      guard (2...65_536).contains(options.ports) else {
        throw DataplaneError(.outOfRange, "ports", "\(options.ports) ports; 2 to 65536 can be")
      }
      if let problem = options.contract?.disagreement(with: spec.contract) {
        throw DataplaneError(
          .invalidArgument, spec.source, "is not the pipeline of the contract: \(problem)")
      }
      let resized = try spec.resized(options.sizes).withRoomForEntries()
      _ = try SpecFlow(resized)
      let adapted = try SpecAdapter(
        resized, ports: options.ports, reason: options.dropReasonField,
        checksAllPorts: (options.staleByte ?? 0) != 0)
      return (resized, adapted)
    }

    /// - Parameter hits: Table → the array of the times of its hits.
    private static func entryArrays(
      _ spec: PipelineSpec, _ hits: [String: String]
    ) -> [String: EntryArrays] {
      var all: [String: EntryArrays] = [:]
      let meters = Set(spec.meters.map(\.name))
      for table in spec.tables {
        let names = spec.entryArrays(of: table).sorted()
        let array = hits[table.name]
        guard !names.isEmpty || array != nil else { continue }
        all[table.name] = EntryArrays(
          registers: names.filter { !meters.contains($0) } + [array].compactMap(\.self),
          meters: names.filter(meters.contains), hits: array)
      }
      return all
    }

    public func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      slot.removeAll()
      guard frame.withUnsafeBytes({ slot.append($0, port: port) }) else {
        return drop(.oversized)
      }
      slot.verdicts[0] = 0
      if let reason = options.gate?(slot.bytes(0)) { return drop(reason) }
      run(slot, at: time, isKept: true)
      let verdict = slot.verdict(0)
      if case .forward = verdict {
        let bytes = slot.bytes(0)
        if bytes.count == frame.count {
          frame.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
        } else {
          frame = Array(bytes)
        }
      }
      return verdict
    }

    public func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
      let dropped = cswx_dropped(engine.pointer)
      if batch.count > ends.count {
        ends = Array(repeating: .none, count: batch.count)
      }
      for i in 0..<batch.count {
        batch.verdicts[i] = 0
        if let gate = options.gate, let reason = gate(batch.bytes(i)) {
          batch.verdicts[i] = Verdict.drop(reason).encoded
          dropped?[Int(reason.rawValue)] &+= 1
        } else if let end = options.ends {
          ends[i] = end(batch.frame(i))
        }
      }
      run(batch, at: time)
    }

    private func drop(_ reason: DropReason) -> Verdict {
      cswx_dropped(engine.pointer)?[Int(reason.rawValue)] &+= 1
      return .drop(reason)
    }

    private func run(
      _ batch: borrowing FrameBatch, at time: Timestamp, isKept: Bool = false
    ) {
      var block = cswx_block(
        base: batch.base.assumingMemoryBound(to: UInt8.self), slots: batch.slots,
        stride: batch.stride, headroom: UInt32(FrameBatch.headroom), lengths: batch.lengths,
        ports: batch.ports, verdicts: batch.verdicts, ends: nil)
      var mode = cswx_mode(
        cycles: options.virtualTime ? clock.cycles(at: time) : 0,
        stale: options.virtualTime ? options.staleByte.map(Int32.init) ?? -1 : -1,
        keep: isKept ? 1 : 0,
        port_header: readsPort ? 1 : 0)
      if tracksHits {
        _ = cswx_register_write(engine.pointer, SpecAdapter.clock, 0, time.nanoseconds)
      }
      let status = ends.withUnsafeBytes { ends in
        if options.ends != nil {
          block.ends = ends.baseAddress?.assumingMemoryBound(to: UInt64.self)
        }
        return cswx_run(engine.pointer, &block, 0, UInt32(batch.count), &mode)
      }
      // The code has no loop (see SpecFlow), so every frame comes out.
      precondition(status == 0, "the SWX engine lost a frame: \(SWXEngine.text(status))")
    }
  }
#endif
