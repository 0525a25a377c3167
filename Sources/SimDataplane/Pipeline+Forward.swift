import Core

extension Pipeline {
  /// Stage 4: writes the new address and port and mends the checksums.
  @inline(__always)
  mutating func translate<T: Tracer>(_ packet: inout Packet, _ tracer: inout T) {
    let isDNAT = packet.translate == .dnat
    let addressOffset = packet.ipv4 &+ (isDNAT ? 16 : 12)
    let oldIP = packet.u32(addressOffset)
    packet.set(packet.newIP, at: addressOffset)

    var ipSum = InternetChecksum()
    ipSum.subtract(packet.u16(packet.ipv4 &+ 10))
    ipSum.subtract(oldIP)
    ipSum.add(packet.newIP)
    packet.set(ipSum.value == 0xFFFF ? 0 : ipSum.value, at: packet.ipv4 &+ 10)

    let l4 = packet.tcp != 0 ? packet.tcp : packet.udp
    guard l4 != 0 else {
      if T.isEnabled {
        tracer.note(.translated(packet.translate, from: (oldIP, 0), to: (packet.newIP, 0)))
      }
      return
    }
    let portOffset = l4 &+ (isDNAT ? 2 : 0)
    let oldPort = packet.u16(portOffset)
    packet.set(packet.newPort, at: portOffset)
    if T.isEnabled {
      tracer.note(
        .translated(packet.translate, from: (oldIP, oldPort), to: (packet.newIP, packet.newPort)))
    }

    let sumOffset = l4 &+ (packet.tcp != 0 ? 16 : 6)
    let oldSum = packet.u16(sumOffset)
    var l4Sum = InternetChecksum()
    l4Sum.subtract(oldSum)
    l4Sum.subtract(oldIP)
    l4Sum.subtract(oldPort)
    l4Sum.add(packet.newIP)
    l4Sum.add(packet.newPort)
    if packet.tcp != 0 {
      packet.set(l4Sum.value == 0xFFFF ? 0 : l4Sum.value, at: sumOffset)
    } else if oldSum != 0 {
      // RFC 768: 0 means no checksum, and stays.
      packet.set(l4Sum.value, at: sumOffset)
    }
  }

  /// Stage 5: MACs and TTL, unless it is for the host to route.
  @inline(__always)
  mutating func forward<T: Tracer>(_ packet: inout Packet, _ tracer: inout T) {
    if !packet.routed { route(&packet, &tracer) }
    switch packet.next {
    case .host: return
    case .vip:
      packet.reason = packet.fragment == .later ? .fragment : .noService
    case .hop, .drain:
      packet.setMAC(packet.dstMAC, at: 0)
      packet.setMAC(packet.srcMAC, at: 6)
      let ttl = packet.ipv4 &+ 8
      packet.set(packet.u8(ttl) &- 1, at: ttl)
      // RFC 1624 for a TTL one less, which is the high byte of its word.
      let sum = packet.u16(packet.ipv4 &+ 10)
      packet.set(sum >= 0xFEFF ? sum &+ 0x0101 : sum &+ 0x0100, at: packet.ipv4 &+ 10)
    }
  }
}
