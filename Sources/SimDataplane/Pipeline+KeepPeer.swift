import Core

extension Pipeline {
  /// Stage 2: towards which address, by which port?
  @inline(__always)
  mutating func findEndpoint<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    switch packet.translate {
    case .none: return
    case .snat:
      packet.newIP = flow.data.ip
      packet.newPort = flow.data.port
      return
    case .dnat: break
    }
    let hit = endpoints.lookUp(UInt64(packet.endpoint))
    if T.isEnabled { tracer.note(.endpoint(id: packet.endpoint, hit: hit)) }
    packet.routed = true
    if let hit {
      packet.newIP = hit.ip
      packet.newPort = hit.port
      packet.next = hit.next
      packet.egress = hit.hop.egress
      packet.dstMAC = hit.hop.dstMAC
      packet.srcMAC = hit.hop.srcMAC
      switch hit.next {
      case .drain: actions.endpointDrain &+= 1
      case .host: actions.endpointHost &+= 1
      case .hop, .vip: actions.endpointHop &+= 1
      }
      // A new connection must not go to a draining one; one under way may.
      if flow.pair, hit.next == .drain, packet.tcp != 0, flow.found != .half {
        packet.reason = .endpointGone
      }
    } else {
      packet.reason = .endpointGone
    }
    guard packet.reason == .endpointGone else { return }
    // Forget the flow soon, in both directions.
    packet.newIP = flow.data.ip
    packet.newPort = flow.data.port
    flow.pair = false
    flow.touch = false
    if flow.found != .none {
      flow.timer = .tcpStale
      flow.rearm = .set
      flow.touch = true
      _ = lookUpFlow(&flow, now: packet.now, .own, &tracer)
    }
  }

  /// Stage 3: the entry of the other direction gets its timer, or is learned.
  mutating func keepPeer<T: Tracer>(
    _ packet: inout Packet, _ flow: inout FlowState, _ tracer: inout T
  ) {
    guard packet.translate != .none else { return }
    let own = flow.key
    if packet.translate == .dnat {
      flow.set(
        key: peerKey(
          packet.newIP, packet.newPort, packet.src, packet.srcPort,
          kind: packet.tcp != 0 ? FlowKind.tcp : FlowKind.udp))
    } else {
      flow.set(
        key: peerKey(
          packet.dst, packet.dstPort, packet.newIP, packet.newPort, kind: flow.data.kind))
    }

    if flow.touch {
      flow.rearm = .set
      if !lookUpFlow(&flow, now: packet.now, .peer, &tracer).hit, packet.tcp != 0 {
        flow.set(kind: FlowKind.tcpHalfOpen)
        _ = lookUpFlow(&flow, now: packet.now, .peer, &tracer)
      }
      return
    }

    // Replies must come back from the address the client asked for.
    flow.data = FlowData(
      id: packet.endpoint, ip: packet.dst, port: packet.dstPort,
      kind: packet.tcp != 0 ? FlowKind.tcp : flow.forwardKind, nat: NAT.snat.rawValue)
    // A packet that is refused must not keep the other flow alive.
    let isNew = flow.found == .none
    flow.rearm = packet.tcp != 0 || isNew ? .none : .keep
    if learnFlow(&flow, now: packet.now, .peer, &tracer) {
      if flow.data.ip != packet.dst || flow.data.port != packet.dstPort {
        packet.reason = .natCollision
        return
      }
      if packet.tcp != 0 {
        flow.rearm = .set
        _ = lookUpFlow(&flow, now: packet.now, .peer, &tracer)
      } else if isNew {
        // Its slot was unpinned, and it is at the same endpoint again. Both entries get one
        // timer: the table may be full when one of them ends first.
        flow.timer = .udpStream
        flow.rearm = .set
        _ = lookUpFlow(&flow, now: packet.now, .peer, &tracer)
      }
    } else {
      // Learning says nothing of its success: look.
      flow.rearm = .none
      if !lookUpFlow(&flow, now: packet.now, .peer, &tracer).hit {
        packet.reason = .flowTableFull
        return
      }
    }

    guard flow.found == .none else { return }
    flow.rearm = .none
    flow.set(key: own.with(kind: flow.forwardKind))
    flow.data = FlowData(
      id: packet.endpoint, ip: packet.newIP, port: packet.newPort, kind: flow.data.kind,
      nat: NAT.dnat.rawValue)
    _ = learnFlow(&flow, now: packet.now, .own, &tracer)
    if !lookUpFlow(&flow, now: packet.now, .own, &tracer).hit { packet.reason = .flowTableFull }
  }

  private func peerKey(
    _ src: UInt32, _ srcPort: UInt16, _ dst: UInt32, _ dstPort: UInt16, kind: UInt8
  ) -> FlowKey {
    FlowKey(
      src: src, srcPort: srcPort, dst: dst, dstPort: dstPort, kind: kind,
      mix: FlowKey.mix(src: src, srcPort: srcPort, dst: dst, dstPort: dstPort))
  }

  /// The later fragments of a translated datagram must find their way.
  mutating func keepFragment<T: Tracer>(_ packet: inout Packet, _ tracer: inout T) {
    guard packet.translate != .none else { return }
    let key = fragmentKey(packet)
    let hash = crc.hash(key.low, key.high, count: 11)
    let (place, hit) = fragments.lookUp(key, hash: hash, now: packet.now)
    if hit {
      // Another datagram with this identification may be under way.
      if fragments.data(at: place).ip != packet.newIP { packet.reason = .fragment }
      return
    }
    let data = FragmentData(
      endpoint: packet.endpoint, ip: packet.newIP, nat: packet.translate.rawValue)
    let done = fragments.learn(
      key, data, timer: K8sDP.Timer.fragment.rawValue, at: place, now: packet.now, timers: timers)
    if T.isEnabled, done { tracer.note(.fragment(hit: data, learned: true)) }
    // Not remembered, its later fragments would leave otherwise.
    if !fragments.lookUp(key, hash: hash, now: packet.now).hit { packet.reason = .flowTableFull }
  }
}
