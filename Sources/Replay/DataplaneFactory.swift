import Core
import SimDataplane

#if DPDK && canImport(DPDKDataplane)
  import DPDKDataplane
#endif

/// A dataplane and the way intent reaches its tables.
public struct LoadedDataplane {
  public let dataplane: any Dataplane
  /// Sets one of the timers of a state file, in seconds.
  public let setTimer: (K8sDP.Timer, UInt32) throws(DataplaneError) -> Void
  /// Makes the tables say what the intent says, as one batch of updates.
  public let setIntent: (Intent) throws(DataplaneError) -> Void
  /// Applies updates of k8s_dp's own tables as they are.
  public let apply: ([Update]) throws(DataplaneError) -> Void
  /// What a run through it has to keep to, when frames reach it through real interfaces.
  public let live: LiveTerms?

  public init(
    _ dataplane: any Dataplane,
    setTimer: @escaping (K8sDP.Timer, UInt32) throws(DataplaneError) -> Void,
    setIntent: @escaping (Intent) throws(DataplaneError) -> Void,
    apply: (([Update]) throws(DataplaneError) -> Void)? = nil,
    live: LiveTerms? = nil
  ) {
    self.dataplane = dataplane
    self.setTimer = setTimer
    self.setIntent = setIntent
    if let apply {
      self.apply = apply
    } else {
      self.apply = { (updates) throws(DataplaneError) in try dataplane.apply(updates) }
    }
    self.live = live
  }

  /// A dataplane whose timers are the profiles of `k8s_dp`.
  public init(
    _ dataplane: any Dataplane, setIntent: @escaping (Intent) throws(DataplaneError) -> Void
  ) {
    self.init(
      dataplane,
      setTimer: { (timer, seconds) throws(DataplaneError) in
        try dataplane.setTimer(timer.profile, seconds: seconds)
      }, setIntent: setIntent)
  }
}

extension LoadedDataplane {
  /// A dataplane that runs `k8s_dp`.
  public init(k8sDP dataplane: any Dataplane) {
    var compiler = IntentCompiler()
    self.init(dataplane) { (intent) throws(DataplaneError) in
      var next = compiler
      let updates: [Update]
      do throws(IntentError) { updates = try next.updates(for: intent) } catch {
        throw DataplaneError(.invalidArgument, error.entity, error.message)
      }
      try dataplane.apply(updates)
      compiler = next
    }
  }
}

/// Makes dataplanes by the names that `--dataplane`, `--left` and `--right` take.
public struct DataplaneFactory: Sendable {
  /// How one kind of dataplane is made.
  public struct Recipe: Sendable {
    public var name: String
    /// Whether it brings the rate of a real cycle counter, which the other
    /// dataplane of a comparison has to take on.
    public var bringsClock: Bool
    /// Makes an empty dataplane on the given clock: at its rate if it can have any, from its
    /// beginning.
    public var make: @Sendable (EngineClock?) throws(ReplayError) -> LoadedDataplane

    public init(
      name: String, bringsClock: Bool = false,
      make: @escaping @Sendable (EngineClock?) throws(ReplayError) -> LoadedDataplane
    ) {
      self.name = name
      self.bringsClock = bringsClock
      self.make = make
    }
  }

  /// The most ports a dataplane can have: one for each of R15's 65,536 pods.
  public static let maximumPorts = 65_536

  public var recipes: [Recipe]

  public init(recipes: [Recipe]) { self.recipes = recipes }

  /// `model` and, in builds with the DPDK trait, `dpdk`.
  ///
  /// - Parameters:
  ///   - sizes: of tables and learners where they differ from the contract's: small
  ///     ones are made and read faster.
  ///   - ports: 0..<ports exist; at most ``maximumPorts``. The engine takes seconds
  ///     to make very many.
  ///   - staleByte: what frames on DPDK find in metadata that they have not written;
  ///     nil is what earlier frames left there.
  public static func k8sDP(
    sizes: [String: Int] = [:], ports: Int = 1024, staleByte: UInt8? = 0
  ) -> DataplaneFactory {
    DataplaneFactory(recipes: [
      Recipe(name: "model") { (clock) throws(ReplayError) in
        var options = SimDataplane.Options()
        options.sizes = sizes
        options.ports = ports
        if let clock { options.clock = clock }
        return LoadedDataplane(k8sDP: SimDataplane(options: options))
      },
      Recipe(name: "dpdk", bringsClock: true) { (clock) throws(ReplayError) in
        let spec = try PipelineFile.k8sDP()
        return LoadedDataplane(
          k8sDP: try engine(
            spec, contract: K8sDP.contract, sizes: sizes, ports: ports, staleByte: staleByte,
            virtualTime: true, clockStart: clock?.start ?? EngineClock.origin))
      },
    ])
  }

  /// Whether this build has DPDK.
  public static var hasDPDK: Bool {
    #if DPDK && canImport(DPDKDataplane)
      true
    #else
      false
    #endif
  }

  /// A pipeline on DPDK.
  ///
  /// - Parameter isGated: whether it is behind the gate that the model has.
  static func engine(
    _ spec: PipelineSpec, name: String = "dpdk", contract: Contract? = nil,
    sizes: [String: Int] = [:], ports: Int = 1024, staleByte: UInt8? = 0, isGated: Bool = true,
    virtualTime: Bool, clockStart: UInt64 = EngineClock.origin
  ) throws(ReplayError) -> any Dataplane {
    #if DPDK && canImport(DPDKDataplane)
      var options = isGated ? SWXOptions.k8sDP : SWXOptions()
      options.name = name
      options.ports = ports
      options.contract = contract
      options.sizes = sizes
      options.staleByte = staleByte
      options.virtualTime = virtualTime
      options.clockStart = clockStart
      do throws(DataplaneError) { return try SWXDataplane(spec: spec, options: options) } catch {
        throw ReplayError("dataplane dpdk", error.description)
      }
    #else
      throw ReplayError("dataplane dpdk", "is not in this build; rebuild with the DPDK trait")
    #endif
  }

  private func recipe(_ name: String) throws(ReplayError) -> Recipe {
    guard let recipe = recipes.first(where: { $0.name == name }) else {
      let names = recipes.map(\.name).joined(separator: " or ")
      throw ReplayError("dataplane \(name)", "is not known; take \(names)")
    }
    return recipe
  }

  /// Makes one dataplane.
  public func make(_ name: String, clock: EngineClock? = nil) throws(ReplayError)
    -> LoadedDataplane
  {
    try recipe(name).make(clock)
  }

  /// Makes two dataplanes that count cycles at the same rate, and from the same beginning.
  public func makePair(
    _ left: String, _ right: String, clock: EngineClock? = nil
  ) throws(ReplayError) -> (left: LoadedDataplane, right: LoadedDataplane) {
    if try recipe(left).bringsClock {
      let first = try make(left, clock: clock)
      return (first, try make(right, clock: first.dataplane.clock))
    }
    guard try recipe(right).bringsClock else {
      return (try make(left, clock: clock), try make(right, clock: clock))
    }
    let second = try make(right, clock: clock)
    return (try make(left, clock: second.dataplane.clock), second)
  }
}
