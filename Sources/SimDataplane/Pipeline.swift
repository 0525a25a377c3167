import Core

/// `k8s_dp.p4` in Swift: read the two side by side. A packet goes through
///
/// 1. ``findFlow``: which flow, which endpoint?
/// 2. ``findEndpoint``: towards which address, by which port?
/// 3. ``keepPeer``: the entry of the other direction
/// 4. ``translate``
/// 5. ``forward``
struct Pipeline: ~Copyable {
  var arpTargets = ExactTable<PortID>()
  var routes = ExactTable<Route>()
  var services = ExactTable<Service>()
  var slots = ExactTable<SlotRow>()
  var endpoints = ExactTable<Endpoint>()
  var flows: LearnerTable<FlowData>
  var fragments: LearnerTable<FragmentData>
  var timers: Timers
  var drops: DropCounters
  var forwarded: PortCounters
  var actions = ActionCounters()
  let crc = CRC32C()
  /// Keeps the loads that fetch ahead from being optimised away.
  var touched: UInt32 = 0

  init(
    flowBuckets: Int, fragmentBuckets: Int, ports: Int, clock: EngineClock,
    timers seconds: [UInt32]
  ) {
    flows = LearnerTable(buckets: flowBuckets)
    fragments = LearnerTable(buckets: fragmentBuckets)
    timers = Timers(seconds: seconds, clock: clock)
    drops = DropCounters()
    forwarded = PortCounters(ports: ports)
  }

  /// Processes one frame in place.
  ///
  /// - Parameters:
  ///   - length: bytes of the frame; ``FrameBatch/tailroom`` more are readable.
  ///   - now: in cycles.
  /// - Returns: an encoded ``Verdict``.
  mutating func process<T: Tracer>(
    _ frame: UnsafeMutableRawPointer, length: Int, now: UInt64, tracer: inout T
  ) -> UInt32 {
    var packet = Packet(frame: frame, now: now)
    prepare(&packet, length: length)
    return finish(&packet, &tracer)
  }

  /// What can be done before earlier packets are finished: the host's gate, the
  /// parser, and where the flow would lie.
  @inline(__always)
  func prepare(_ packet: inout Packet, length: Int) {
    packet.reason = FrameGate.check(UnsafeRawPointer(packet.frame), length: length)
    guard packet.reason == nil else { return }
    packet.parse()
    let l4 = packet.tcp != 0 ? packet.tcp : packet.udp
    guard l4 != 0 else { return }
    packet.src = packet.u32(packet.ipv4 &+ 12)
    packet.dst = packet.u32(packet.ipv4 &+ 16)
    packet.srcPort = packet.u16(l4)
    packet.dstPort = packet.u16(l4 &+ 2)
    packet.key = FlowKey(
      src: packet.src, srcPort: packet.srcPort, dst: packet.dst, dstPort: packet.dstPort,
      kind: packet.tcp != 0 ? FlowKind.tcp : FlowKind.udp,
      mix: FlowKey.mix(
        src: packet.src, srcPort: packet.srcPort, dst: packet.dst, dstPort: packet.dstPort))
    packet.hash = crc.hash16(packet.key.low, packet.key.high)
  }

  /// Takes a prepared packet through the tables.
  @inline(__always)
  mutating func finish<T: Tracer>(_ packet: inout Packet, _ tracer: inout T) -> UInt32 {
    if T.isEnabled { tracer.note(.parsed(packet)) }
    if packet.ipv4 != 0 {
      if packet.isGroupAddressed, packet.reason == nil { packet.reason = .multicast }
      var flow = FlowState(key: packet.key, hash: packet.hash)
      if packet.reason == nil { findFlow(&packet, &flow, &tracer) }
      findEndpoint(&packet, &flow, &tracer)
      if flow.pair != flow.touch { keepPeer(&packet, &flow, &tracer) }
      if packet.reason == nil, packet.fragment == .first { keepFragment(&packet, &tracer) }
      if packet.reason == nil {
        if packet.translate != .none { translate(&packet, &tracer) }
        forward(&packet, &tracer)
      }
    } else if packet.arp != 0 {
      let target = packet.u32(packet.arp &+ 24)
      let egress = arpTargets.lookUp(UInt64(target))
      if T.isEnabled { tracer.note(.arp(target: target, egress: egress)) }
      packet.egress = egress ?? PortID(1)
    } else if packet.reason == nil, packet.isGroupAddressed {
      packet.reason = .multicast
    }

    if let reason = packet.reason {
      drops.count(reason)
      return FrameBatch.dropBit | UInt32(reason.rawValue)
    }
    forwarded.count(packet.egress)
    return packet.egress
  }

  /// Looks the route of the packet's destination up.
  @inline(__always)
  mutating func route<T: Tracer>(_ packet: inout Packet, _ tracer: inout T) {
    let dst = packet.u32(packet.ipv4 &+ 16)
    let hit = routes.lookUp(UInt64(dst))
    if T.isEnabled { tracer.note(.route(dst: dst, hit: hit)) }
    packet.routed = true
    guard let hit else {
      packet.next = .host
      packet.egress = 1
      return
    }
    packet.next = hit.next
    if hit.next == .hop {
      actions.routeHop &+= 1
      packet.egress = hit.hop.egress
      packet.dstMAC = hit.hop.dstMAC
      packet.srcMAC = hit.hop.srcMAC
    } else {
      actions.routeVIP &+= 1
    }
  }
}

/// How often each action ran where a table has more than one for its entries.
struct ActionCounters {
  var routeHop: UInt64 = 0
  var routeVIP: UInt64 = 0
  var endpointHop: UInt64 = 0
  var endpointDrain: UInt64 = 0
  var endpointHost: UInt64 = 0
}

/// Frames dropped, by the raw value of the reason.
struct DropCounters: ~Copyable {
  private let counts: UnsafeMutablePointer<UInt64>

  init() {
    counts = .allocate(capacity: 256)
    counts.initialize(repeating: 0, count: 256)
  }

  deinit { counts.deallocate() }

  @inline(__always)
  func count(_ reason: DropReason) { counts[Int(reason.rawValue)] &+= 1 }

  subscript(_ reason: DropReason) -> UInt64 { counts[Int(reason.rawValue)] }
}

/// Frames forwarded, by port.
struct PortCounters: ~Copyable {
  private let counts: UnsafeMutablePointer<UInt64>
  let ports: Int

  init(ports: Int) {
    self.ports = ports
    counts = .allocate(capacity: ports)
    counts.initialize(repeating: 0, count: ports)
  }

  deinit { counts.deallocate() }

  /// - Parameter port: one that exists: rows with others are refused.
  @inline(__always)
  func count(_ port: PortID) { counts[Int(port)] &+= 1 }

  subscript(_ port: PortID) -> UInt64 { counts[Int(port)] }
}
