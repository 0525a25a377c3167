import Core

extension Pipeline {
  /// Stage 1: which flow, which endpoint?
  @inline(__always)
  mutating func findFlow<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    if packet.u8(packet.ipv4 &+ 8) <= 1 {
      // What we would have to route ends here; the rest is the host's.
      route(&packet, &tracer)
      if packet.next != .host { packet.reason = .ttlExpired }
      return
    }
    if packet.tcp != 0 {
      if packet.tcpKind == .syn {
        openTCP(&packet, &flow, &tracer)
      } else {
        continueTCP(&packet, &flow, &tracer)
      }
    } else if packet.udp != 0 {
      findUDP(&packet, &flow, &tracer)
    } else if packet.fragment == .later {
      followFragment(&packet, &flow, &tracer)
    }
  }

  /// Looks the flow key up and treats the timer of the entry as asked.
  @inline(__always)
  mutating func lookUpFlow<T: Tracer>(
    _ flow: inout FlowState, now: UInt64, _ step: FlowStep, _ tracer: inout T
  ) -> (place: LearnerTable<FlowData>.Place, hit: Bool) {
    let hash = flow.hash ?? crc.hash16(flow.key.low, flow.key.high)
    let result = flows.lookUp(flow.key, hash: hash, now: now)
    if result.hit {
      flow.data = flows.data(at: result.place)
      switch flow.rearm {
      case .keep: flows.rearm(result.place, now: now, timers: timers)
      case .set: flows.rearm(result.place, timer: flow.timer.rawValue, now: now, timers: timers)
      case .none: break
      }
    }
    if T.isEnabled {
      tracer.note(
        .flow(
          step, kind: UInt8(truncatingIfNeeded: flow.key.high >> 32),
          data: result.hit ? flow.data : nil, timer: flow.rearm == .set ? flow.timer : nil))
    }
    return result
  }

  /// Looks the flow key up and learns it when it is missing.
  ///
  /// - Returns: whether it had been there.
  @inline(__always)
  mutating func learnFlow<T: Tracer>(
    _ flow: inout FlowState, now: UInt64, _ step: FlowStep, _ tracer: inout T
  ) -> Bool {
    let wanted = flow.data
    let (place, hit) = lookUpFlow(&flow, now: now, step, &tracer)
    if hit { return true }
    let done = flows.learn(
      flow.key, wanted, timer: flow.timer.rawValue, at: place, now: now, timers: timers)
    if T.isEnabled {
      tracer.note(
        .learned(
          kind: UInt8(truncatingIfNeeded: flow.key.high >> 32), data: wanted, timer: flow.timer,
          done: done))
    }
    return false
  }

  /// Looks Service and slot up.
  ///
  /// - Returns: the endpoint chosen for a new flow, with the kind of its
  ///   entry; nil without a Service, or, with a reason, without an endpoint.
  @inline(__always)
  private mutating func select<T: Tracer>(
    _ packet: inout Packet, _ flow: FlowState, proto: UInt8, _ tracer: inout T
  ) -> Slot? {
    let service = services.lookUp(TableKey.service(packet.dst, packet.dstPort, proto))
    if T.isEnabled {
      tracer.note(.service(hit: service, dst: packet.dst, port: packet.dstPort, proto: proto))
    }
    guard let service else { return nil }
    let index = UInt32(truncatingIfNeeded: flow.key.high &>> 40) & service.mask
    let row = slots.lookUp(TableKey.slotRow(service.id, index &>> 2))
    let slot = row?[index & 3]
    if T.isEnabled { tracer.note(.slot(hit: slot, service: service.id, slot: index)) }
    if slot == nil { packet.reason = .noEndpoint }
    return slot
  }

  /// A SYN.
  private mutating func openTCP<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    guard let slot = select(&packet, flow, proto: FlowKind.tcp, &tracer) else { return }
    packet.endpoint = slot.endpoint
    packet.translate = .dnat
    flow.pair = true
    flow.forwardKind = FlowKind.tcpHalfOpen
    flow.rearm = .none
    flow.timer = .tcpHalfOpen
    if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit {
      // The ports of an earlier connection, used again.
      flow.found = .live
      packet.endpoint = flow.data.id
      flow.timer = .tcpEstablished
      flow.rearm = .set
      _ = lookUpFlow(&flow, now: packet.now, .own, &tracer)
    } else {
      // The timer of the entry for replies will be the same: neither may outlive the other,
      // or another flow could take its place there.
      flow.set(kind: FlowKind.tcpHalfOpen)
      flow.rearm = .set
      if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit {
        flow.found = .half
        packet.endpoint = flow.data.id
      }
    }
  }

  /// Any TCP packet but a SYN.
  @inline(__always)
  private mutating func continueTCP<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    switch packet.tcpKind {
    case .rst:
      flow.timer = .tcpReset
      flow.rearm = .set
      flow.touch = true
    case .fin:
      flow.timer = .tcpClosing
      flow.rearm = .set
      flow.touch = true
    case .other, .syn: break
    }
    if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit {
      flow.found = .live
      packet.translate = NAT(rawValue: flow.data.nat) ?? .none
      packet.endpoint = flow.data.id
      return
    }
    route(&packet, &tracer)
    guard packet.next == .vip else { return }
    flow.set(kind: FlowKind.tcpHalfOpen)
    guard lookUpFlow(&flow, now: packet.now, .own, &tracer).hit else {
      packet.reason = .noFlow
      return
    }
    // The first packet after the SYN: the flow now has an entry of its own,
    // and so a timer of its own.
    if T.isEnabled { tracer.note(.promoted) }
    flow.found = .half
    packet.translate = .dnat
    packet.endpoint = flow.data.id
    flow.touch = true
    flow.set(kind: FlowKind.tcp)
    flow.rearm = .none
    _ = learnFlow(&flow, now: packet.now, .own, &tracer)
    // With an entry of its own, the half-open one must not outlive it: a later
    // connection of these ports is a new flow, and would look half-open.
    // Without, it stands for the flow.
    let timer = flow.timer
    if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit { flow.timer = .tcpStale }
    flow.set(kind: FlowKind.tcpHalfOpen)
    flow.rearm = .set
    _ = lookUpFlow(&flow, now: packet.now, .handshake, &tracer)
    flow.set(kind: FlowKind.tcp)
    flow.timer = timer
  }

  private mutating func findUDP<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    if let slot = select(&packet, flow, proto: FlowKind.udp, &tracer) {
      packet.endpoint = slot.endpoint
      packet.translate = .dnat
      flow.pair = true
      flow.timer = .udpUnreplied
      flow.forwardKind = slot.kind
      flow.set(kind: slot.kind)
      if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit {
        flow.found = .live
        packet.endpoint = flow.data.id
      }
    } else if packet.reason == nil {
      flow.timer = .udpStream
      flow.rearm = .set
      if lookUpFlow(&flow, now: packet.now, .own, &tracer).hit {
        flow.found = .live
        packet.translate = NAT(rawValue: flow.data.nat) ?? .none
        packet.endpoint = flow.data.id
        flow.touch = true
      }
    }
  }

  /// A fragment without ports goes where the first one went.
  private mutating func followFragment<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    let key = fragmentKey(packet)
    let (place, hit) = fragments.lookUp(
      key, hash: crc.hash(key.low, key.high, count: 11), now: packet.now)
    if T.isEnabled {
      tracer.note(.fragment(hit: hit ? fragments.data(at: place) : nil, learned: false))
    }
    guard hit else { return }
    let data = fragments.data(at: place)
    packet.translate = NAT(rawValue: data.nat) ?? .none
    packet.endpoint = data.endpoint
    flow.data.ip = data.ip
  }

  /// Addresses, identification and protocol: eleven bytes.
  @inline(__always)
  func fragmentKey(_ packet: Packet) -> FlowKey {
    var key = FlowKey.zero
    key.low =
      UInt64(packet.u32(packet.ipv4 &+ 12)) | UInt64(packet.u32(packet.ipv4 &+ 16)) &<< 32
    key.high =
      UInt64(packet.u16(packet.ipv4 &+ 4)) | UInt64(packet.u8(packet.ipv4 &+ 9)) &<< 16
    return key
  }
}
