import Core

/// Makes up an episode while it is played: traffic answers to what came of it.
struct FuzzGenerator {
  private(set) var episode: FuzzEpisode
  private var random: SplitMix64
  private var node: RandomNode
  private var traffic: RandomTraffic
  private var time = Timestamp.zero
  private var count = 0
  /// Even seeds crowd small tables, odd ones let more expire.
  private var isCrowded: Bool { episode.seed.isMultiple(of: 2) }
  /// Every fourth seed overwrites rows, too.
  private var writesRows: Bool { episode.seed % 4 == 1 }

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    node = RandomNode(using: &random)
    traffic = RandomTraffic(seed: random.next())
    var timers: [K8sDP.Timer: UInt32] = [:]
    for timer in K8sDP.Timer.allCases where Int.random(in: 0..<4, using: &random) == 0 {
      timers[timer] = UInt32.random(in: 1...200, using: &random)
    }
    // What is left of a handshake must not outlive its connection: see the timer.
    let ofTCP = [K8sDP.Timer.tcpStale, .tcpReset, .tcpHalfOpen, .tcpEstablished, .tcpClosing]
    if let shortest = ofTCP.map({ timers[$0] ?? $0.defaultSeconds }).min() {
      timers[.tcpStale] = shortest
    }
    // A reply makes a flow live longer, not shorter.
    if let unreplied = timers[.udpUnreplied] {
      timers[.udpStream] = max(
        unreplied, timers[.udpStream] ?? K8sDP.Timer.udpStream.defaultSeconds)
    } else if let stream = timers[.udpStream] {
      timers[.udpStream] = max(stream, K8sDP.Timer.udpUnreplied.defaultSeconds)
    }
    let isCrowded = seed.isMultiple(of: 2)
    let sizes = [
      "services": 64, "slots": 32_768, "endpoints": 256, "routes": 256, "arp_targets": 256,
      "flows": isCrowded ? 8 : 64, "fragments": isCrowded ? 1 : 4,
    ]
    episode = FuzzEpisode(
      seed: seed, sizes: sizes, timers: timers, intent: node.intent, steps: [])
  }

  /// The next step.
  ///
  /// - Parameter clock: some times are the very cycle at which entries expire.
  mutating func next(clock: EngineClock) -> FuzzEpisode.Step {
    count += 1
    // Time is counted from the first frame, so the first one stays when an episode
    // is cut down: LLDP, which nobody forwards.
    if count == 1 {
      let lldp = PacketBuilder(
        from: MACAddress(0x0200_0000_0206), to: MACAddress(0x0180_C200_000E))
      return add(.frame(lldp.frame(etherType: 0x88CC, payload: [0, 0])))
    }
    if count.isMultiple(of: 60) {
      let before = node
      node.step(using: &random)
      var compiler = IntentCompiler()
      // What contradicts itself is for the tests of the compiler.
      if (try? compiler.updates(for: node.intent)) == nil { node = before }
      return add(.intent(node.intent))
    }
    if writesRows, count % 60 == 30 { return add(.row(row())) }
    time.nanoseconds += pause() / (isCrowded ? 20 : 1)
    if Int.random(in: 0..<100, using: &random) == 0 { time = boundary(of: clock) }
    return add(.frame(traffic.next()))
  }

  /// Tells where the last frame went.
  mutating func saw(_ verdict: Verdict, _ bytes: [UInt8]) { traffic.saw(verdict, bytes) }

  private mutating func add(_ event: FuzzEpisode.Event) -> FuzzEpisode.Step {
    let step = FuzzEpisode.Step(time: time, event: event)
    episode.steps.append(step)
    return step
  }

  /// An endpoint that is somewhere else, or drains, or is not on this node.
  private mutating func row() -> TableEntry {
    let pod = UInt32.random(in: RandomNode.pods, using: &random)
    let hop = K8sDP.Hop(
      egress: pod, dstMAC: MACAddress(0x0200_0000_0200 + UInt64(pod)),
      srcMAC: MACAddress(0x0200_0000_0001))
    let targets: [K8sDP.EndpointTarget] = [.hop(hop), .drain(hop), .drain(hop), .host]
    return K8sDP.endpoint(
      UInt32.random(in: 1...24, using: &random), address: RandomNode.address(pod),
      port: Bool.random(using: &random) ? 8080 : 9090,
      targets.randomElement(using: &random) ?? .host)
  }

  /// From nanoseconds to beyond every timer.
  private mutating func pause() -> UInt64 {
    let second: UInt64 = 1_000_000_000
    switch Int.random(in: 0..<1000, using: &random) {
    case 0: return UInt64.random(in: 40_000...50_000, using: &random) * second
    case 1..<5: return UInt64.random(in: 60 * second...200 * second, using: &random)
    case 5..<20: return UInt64.random(in: 2 * second...40 * second, using: &random)
    case 20..<100: return UInt64.random(in: 0...2 * second, using: &random)
    case 100..<300: return 0
    default: return UInt64.random(in: 0...1_000_000, using: &random)
    }
  }

  /// The next time whose cycle count is a multiple of 2³²: then an entry can be
  /// neither alive nor free. Not every multiple is a whole nanosecond.
  private func boundary(of clock: EngineClock) -> Timestamp {
    let first = (clock.cycles(at: time) >> 32) + 1
    for step in first..<(first + 8) {
      let cycles = (step << 32) - EngineClock.origin
      let (high, low) = cycles.multipliedFullWidth(by: 1_000_000_000)
      let nanoseconds = clock.hertz.dividingFullWidth((high, low)).quotient
      for candidate in [nanoseconds, nanoseconds + 1] {
        let time = Timestamp(nanoseconds: candidate)
        if clock.cycles(at: time) == step << 32 { return time }
      }
    }
    return time
  }
}
