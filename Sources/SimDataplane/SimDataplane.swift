import Core

/// The reference model of `k8s_dp`: the pipeline written to be read, with the
/// same answer as DPDK's SWX engine down to learned entries and counters.
///
/// One thread at a time.
public final class SimDataplane: Dataplane {
  /// How to build a model.
  public struct Options: Sendable {
    /// The cycle counter to copy: that of the engine it is compared with.
    public var clock = EngineClock.model
    /// Sizes of tables and learners by name where they differ from the contract's.
    public var sizes: [String: Int] = [:]
    /// Ports 0..<ports exist, as with DPDK: 2 to 65,536.
    public var ports = 1024
    public init() {}
  }

  public let name = "model"
  public let contract: Contract
  public let clock: EngineClock

  /// Ports 0..<ports exist.
  public let ports: Int

  private var pipeline: Pipeline
  private var store: TableStore
  /// Action → which of its arguments is a port.
  private let egressArguments: [String: Int]
  /// Seconds of the eight expire-time profiles, for traces.
  private(set) var timerSeconds: [UInt32]
  /// What was written to the registers, apart from what was counted.
  private var dropRegisterOffsets = [UInt64](repeating: 0, count: K8sDP.dropsRegisterSize)
  private let prepared = UnsafeMutablePointer<Packet>.allocate(capacity: Pipeline.stride)
  private var scratch = FrameBatch(capacity: 1, maximumLength: FrameBatch.longestFrame)

  public init(options: Options = Options()) {
    precondition((2...65_536).contains(options.ports), "ports are 2 to 65536")
    let contract = K8sDP.contract.resized(options.sizes)
    self.contract = contract
    clock = options.clock
    ports = options.ports
    egressArguments = contract.actions.compactMapValues { action in
      action.arguments.firstIndex { $0.name == "egress" }
    }
    store = TableStore(contract: contract)
    func learner(_ name: String) -> Contract.Learner? {
      contract.learners.first { $0.name == name }
    }
    timerSeconds = learner("flows")?.timers ?? []
    pipeline = Pipeline(
      flowBuckets: learner("flows")?.buckets ?? 1,
      fragmentBuckets: learner("fragments")?.buckets ?? 1,
      ports: options.ports, clock: options.clock, timers: timerSeconds)
  }

  deinit { prepared.deallocate() }

  public func apply(_ updates: [Update]) throws(DataplaneError) {
    let changes = try store.commit(updates) { [ports, egressArguments] entry in
      guard let i = egressArguments[entry.action], entry.arguments[i] >= UInt64(ports) else {
        return nil
      }
      return DataplaneError(
        .outOfRange, "\(entry.table)[\(entry.key.map(String.init).joined(separator: ","))]",
        "port \(entry.arguments[i]) does not exist; there are \(ports)")
    }
    for change in changes {
      switch change {
      case .set(let entry, _): pipeline.set(entry)
      case .delete(let entry): pipeline.remove(entry.table, entry.key)
      // k8s_dp has no selector, and all its defaults are constant.
      case .setGroup, .setDefault, .resetDefault: break
      }
    }
  }

  public func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    try store.entries(of: table)
  }

  public func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
    guard (0..<8).contains(profile), seconds > 0 else {
      throw DataplaneError(
        .outOfRange, "timer \(profile)", "profiles are 0...7, seconds at least 1")
    }
    timerSeconds[profile] = seconds
    pipeline.timers.set(profile, cycles: clock.cycles(seconds: seconds))
  }

  public func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    var tracer = NoTracer()
    return run(&frame, at: time, &tracer)
  }

  /// As ``process(_:port:at:)``, with every event on the way.
  func run<T: Tracer>(_ frame: inout [UInt8], at time: Timestamp, _ tracer: inout T) -> Verdict {
    scratch.removeAll()
    guard frame.withUnsafeBytes({ scratch.append($0, port: 0) }) else {
      pipeline.drops.count(.oversized)
      return .drop(.oversized)
    }
    let verdict = Verdict(
      encoded: pipeline.process(
        scratch.frame(0), length: frame.count, now: clock.cycles(at: time), tracer: &tracer))
    frame.withUnsafeMutableBytes { $0.copyMemory(from: scratch.bytes(0)) }
    return verdict
  }

  public func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
    pipeline.process(batch, now: clock.cycles(at: time), prepared: prepared)
  }

  public func learnedEntries(at time: Timestamp) -> [LearnedEntry] {
    learnedEntries(at: time, part: 0, of: 1).sorted()
  }

  public func learnedEntries(at time: Timestamp, part: Int, of parts: Int) -> [LearnedEntry] {
    let now = clock.cycles(at: time)
    var entries: [LearnedEntry] = []
    pipeline.flows.forEachLive(now: now, part: part, of: parts) { key, data, timer, expiry in
      entries.append(
        LearnedEntry(
          table: "flows", key: key.fields, action: "flow_hit", arguments: data.fields,
          timer: timer, expiry: expiry))
    }
    pipeline.fragments.forEachLive(now: now, part: part, of: parts) { key, data, timer, expiry in
      let fields = [
        key.low & 0xFFFF_FFFF, key.low >> 32, key.high & 0xFFFF, key.high >> 16 & 0xFF,
      ]
      entries.append(
        LearnedEntry(
          table: "fragments", key: fields, action: "fragment_hit", arguments: data.fields,
          timer: timer, expiry: expiry))
    }
    return entries
  }

  public func restore(_ entries: [LearnedEntry]) -> Int {
    entries.count { entry in
      guard entry.timer < 8 else { return false }
      switch (entry.table, entry.action) {
      case ("flows", "flow_hit"):
        guard let key = FlowKey(fields: entry.key), let data = FlowData(fields: entry.arguments)
        else { return false }
        return pipeline.restore(key, data, timer: entry.timer, expiry: entry.expiry)
      case ("fragments", "fragment_hit"):
        guard let key = FlowKey(fragment: entry.key),
          let data = FragmentData(fields: entry.arguments)
        else { return false }
        return pipeline.restore(fragment: key, data, timer: entry.timer, expiry: entry.expiry)
      default: return false
      }
    }
  }

  public func counters() -> Counters {
    pipeline.counters()
  }

  /// `drops_0` counts the frames that the pipeline itself dropped, by reason.
  public func registers(_ name: String) throws(DataplaneError) -> [UInt64] {
    guard name == K8sDP.dropsRegister else {
      throw DataplaneError(.notFound, name, "no such register array")
    }
    return dropRegisterOffsets.indices.map { index in
      dropRegisterOffsets[index] &+ droppedByPipeline(index)
    }
  }

  public func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {
    guard name == K8sDP.dropsRegister, dropRegisterOffsets.indices.contains(index) else {
      throw DataplaneError(.notFound, "\(name)[\(index)]", "no such register")
    }
    dropRegisterOffsets[index] = value &- droppedByPipeline(index)
  }

  private func droppedByPipeline(_ index: Int) -> UInt64 {
    DropReason(rawValue: UInt8(index)).map { pipeline.drops[$0] } ?? 0
  }
}
