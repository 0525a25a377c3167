import Core

/// Frames as clients, endpoints, neighbours and vandals send them: whole lives
/// of flows, in any order.
package struct RandomTraffic {
  /// Two that talk: a client and what it believes to talk to.
  private struct Conversation {
    var transport: TransportProtocol
    var client: (ip: IPv4Address, port: UInt16)
    var server: (ip: IPv4Address, port: UInt16)
    /// Who really answers, once it was seen.
    var answers: (ip: IPv4Address, port: UInt16)?
    var hasBegun = false
  }

  package var random: SplitMix64
  private var conversations: [Conversation] = []
  /// The conversation whose client sent the last frame.
  private var current: Int?
  /// Datagrams whose later fragments are still to come.
  private var fragments: [[UInt8]] = []

  package init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }

  /// Tells where the last frame went.
  package mutating func saw(_ verdict: Verdict, _ bytes: [UInt8]) {
    guard let current, case .forward = verdict, let ip = FrameLayers(bytes).ipv4,
      let port = FrameLayers(bytes).u16(ip.header.upperBound + 2)
    else { return }
    conversations[current].answers = (ip.destination, port)
  }

  package mutating func next() -> [UInt8] {
    current = nil
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<3: return arp()
    case 3..<6:
      let frame = icmp()
      return chance(10) ? fragmented(frame) : frame
    case 6..<8: return garbage()
    case 8..<14 where !fragments.isEmpty:
      return fragments.remove(at: Int.random(in: fragments.indices, using: &random))
    default: break
    }
    var frame = conversation()
    if chance(8) { frame = fragmented(frame) }
    if chance(3) { frame = damaged(frame) }
    return frame
  }

  private mutating func pod() -> IPv4Address {
    RandomNode.address(UInt32.random(in: 2...10, using: &random))
  }

  // MARK: Conversations

  private mutating func open() -> Conversation {
    let transport: TransportProtocol = chance(60) ? .tcp : .udp
    let isDirect = chance(15)
    var client = (pod(), 40_000 + UInt16.random(in: 0..<12, using: &random))
    // The same port to another Service, or to the other port of the same one: the
    // endpoint may be the same.
    if chance(40), let other = conversations.randomElement(using: &random) {
      client = other.client
      if chance(50) {
        return Conversation(
          transport: other.transport, client: client,
          server: (other.server.ip, other.server.port ^ 1))
      }
    }
    return Conversation(
      transport: transport, client: client,
      server: isDirect
        ? (pod(), 8080)
        : (
          RandomNode.vip(UInt32.random(in: 1...3, using: &random)),
          80 + UInt16.random(in: 0...1, using: &random)
        ))
  }

  private mutating func conversation() -> [UInt8] {
    if conversations.count < 10 || chance(5) {
      if conversations.count >= 60 {
        conversations.remove(at: Int.random(in: conversations.indices, using: &random))
      }
      conversations.append(open())
    }
    // The newest speak most.
    let last = conversations.count - 1
    let i =
      chance(50)
      ? Int.random(in: max(0, last - 5)...last, using: &random)
      : Int.random(in: 0...last, using: &random)
    return conversations[i].transport == .tcp ? tcp(i) : udp(i)
  }

  /// Any client's or endpoint's next segment: mostly sensible, at times not.
  private mutating func tcp(_ i: Int) -> [UInt8] {
    let begins = !conversations[i].hasBegun || chance(8)
    conversations[i].hasBegun = true
    let fromClient = begins || conversations[i].answers == nil || chance(50)
    var flags: TCPFlags
    switch Int.random(in: 0..<100, using: &random) {
    case _ where begins: flags = .syn
    case 0..<15: flags = fromClient ? .syn : [.syn, .ack]
    case 15..<35: flags = .ack
    case 35..<75: flags = [.psh, .ack]
    case 75..<85: flags = [.fin, .ack]
    case 85..<92: flags = [.rst, .ack]
    default: flags = TCPFlags(rawValue: .random(in: 0...255, using: &random))
    }
    if chance(10) { flags.formUnion([.ece, .cwr]) }
    let (ip, ports) = header(i, fromClient)
    var tcp = PacketBuilder.TCP(from: ports.0, to: ports.1, flags: flags)
    tcp.sequence = UInt32.random(in: 0...UInt32.max, using: &random)
    if chance(20) { tcp.options = [2, 4, 5, 0xB4] }
    if chance(6) { tcp.checksum = oddChecksum(i, fromClient) }
    return ether().tcp(ip, tcp, payload: payload())
  }

  private mutating func udp(_ i: Int) -> [UInt8] {
    let fromClient = conversations[i].answers == nil || chance(55)
    let (ip, ports) = header(i, fromClient)
    var udp = PacketBuilder.UDP(from: ports.0, to: ports.1)
    if chance(15) {
      udp.checksum = 0
    } else if chance(6) {
      udp.checksum = oddChecksum(i, fromClient)
    }
    return ether().udp(ip, udp, payload: payload())
  }

  /// A checksum that translation turns into one where sums carry over.
  private mutating func oddChecksum(_ i: Int, _ fromClient: Bool) -> UInt16? {
    guard let answers = conversations[i].answers else { return nil }
    let server = conversations[i].server
    let (before, after) = fromClient ? (server, answers) : (answers, server)
    let wanted: UInt16 = [0, 1, 0xFFFE, 0xFFFF].randomElement(using: &random) ?? 0
    return Checksum.update(
      Checksum.update(wanted, from: after.ip.value, to: before.ip.value), from: after.port,
      to: before.port)
  }

  private mutating func header(
    _ i: Int, _ fromClient: Bool
  ) -> (PacketBuilder.IPv4, (UInt16, UInt16)) {
    let talk = conversations[i]
    if fromClient { current = i }
    let from = fromClient ? talk.client : talk.answers ?? talk.server
    let to = fromClient ? talk.server : talk.client
    var ip = PacketBuilder.IPv4(from: from.ip, to: to.ip)
    ip.identification = UInt16.random(in: 0...UInt16.max, using: &random)
    ip.typeOfService = UInt8.random(in: 0...255, using: &random)
    ip.ttl = chance(4) ? UInt8.random(in: 0...3, using: &random) : 64
    if chance(5), let answers = talk.answers {
      // Translated, it becomes one where sums carry over.
      let (before, after) = fromClient ? (talk.server, answers) : (answers, talk.server)
      let wanted: UInt16 = [0, 1, 0xFEFF, 0xFFFF].randomElement(using: &random) ?? 0
      ip.checksum = Checksum.update(wanted, from: after.ip.value, to: before.ip.value)
    }
    if chance(6) {
      ip.options = (0..<Int.random(in: 1...40, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
    }
    return (ip, (from.port, to.port))
  }

  private mutating func payload() -> [UInt8] {
    (0..<Int.random(in: 0...24, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
  }

  private mutating func ether() -> PacketBuilder {
    var builder = PacketBuilder(
      from: MACAddress(0x0200_0000_0206), to: MACAddress(0x0200_0000_0001))
    if chance(6) { builder.vlan = UInt16.random(in: 0...UInt16.max, using: &random) }
    if chance(2) { builder.destination = .broadcast }
    if chance(30) { builder.minimumLength = 60 }
    return builder
  }

  // MARK: Fragments

  /// The first fragment of a datagram, the later ones to follow: few
  /// identifications, so that some are used twice.
  private mutating func fragmented(_ frame: [UInt8]) -> [UInt8] {
    guard let ip = FrameLayers(frame).ipv4, !ip.isFragment else { return frame }
    var header = PacketBuilder.IPv4(from: ip.source, to: ip.destination)
    header.identification = UInt16.random(in: 0..<6, using: &random)
    header.moreFragments = true
    header.dontFragment = chance(10)
    if chance(20) { header.checksum = oddHeaderChecksum(ip) }
    let end = min(frame.count, ip.header.lowerBound + ip.totalLength)
    let payload = Array(frame[ip.header.upperBound..<end])
    let first = ether().ipv4(header, transport: ip.transport, payload: payload)
    for offset in 1...2 {
      header.fragmentOffset =
        chance(20) ? 1 : UInt16(offset) * UInt16.random(in: 1...9, using: &random)
      header.moreFragments = offset == 1
      fragments.append(ether().ipv4(header, transport: ip.transport, payload: payload))
    }
    if fragments.count > 12 { fragments.removeFirst() }
    return first
  }

  /// A checksum that translation turns into one where sums carry over.
  private mutating func oddHeaderChecksum(_ ip: IPv4Layer) -> UInt16? {
    for talk in conversations {
      guard let answers = talk.answers else { continue }
      let (before, after) =
        ip.source == talk.client.ip ? (talk.server, answers) : (answers, talk.server)
      guard before.ip == ip.destination || before.ip == ip.source else { continue }
      let wanted: UInt16 = [0, 0xFFFF].randomElement(using: &random) ?? 0
      return Checksum.update(wanted, from: after.ip.value, to: before.ip.value)
    }
    return nil
  }

  // MARK: What is no flow

  private mutating func arp() -> [UInt8] {
    var builder = ether()
    builder.destination = chance(70) ? .broadcast : MACAddress(0x0200_0000_0203)
    let target = chance(30) ? IPv4Address(0xA9FE_0101) : pod()
    return builder.arp(
      operation: chance(60) ? 1 : 2, senderMAC: builder.source, senderIP: pod(), targetIP: target)
  }

  private mutating func icmp() -> [UInt8] {
    let target =
      chance(30)
      ? RandomNode.vip(1) : chance(20) ? IPv4Address(0x0808_0808) : pod()
    var ip = PacketBuilder.IPv4(from: pod(), to: target)
    ip.ttl = UInt8.random(in: 0...4, using: &random)
    if chance(10) { ip.version = 6 }
    return ether().icmp(ip, type: chance(50) ? 8 : 0, rest: 7, payload: payload())
  }

  private mutating func garbage() -> [UInt8] {
    var bytes = (0..<Int.random(in: 0...140, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    let types: [[UInt8]] = [[8, 0], [8, 6], [0x81, 0], [0x86, 0xDD]]
    if bytes.count >= 14, let type = types.randomElement(using: &random) {
      bytes.replaceSubrange(12..<14, with: type)
    }
    return bytes
  }

  /// Cut short, or with bits turned, often where headers are.
  private mutating func damaged(_ frame: [UInt8]) -> [UInt8] {
    var frame = frame
    if chance(30) { return withOddChecksum(frame) }
    if chance(40) { return Array(frame.prefix(Int.random(in: 0...frame.count, using: &random))) }
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let i = Int.random(in: 0..<min(frame.count, 54), using: &random)
      frame[i] ^= 1 << UInt8.random(in: 0...7, using: &random)
    }
    return frame
  }

  /// A checksum of the header where updates carry over; nobody on the way looks
  /// whether it is right.
  private mutating func withOddChecksum(_ frame: [UInt8]) -> [UInt8] {
    guard let ip = FrameLayers(frame).ipv4 else { return frame }
    let sums: [UInt16] = [0, 1, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE, 0xFFFF]
    let sum = sums.randomElement(using: &random) ?? 0
    var frame = frame
    let offset = ip.header.lowerBound + IPv4Header.checksum
    frame[offset] = UInt8(sum >> 8)
    frame[offset + 1] = UInt8(sum & 0xFF)
    return frame
  }
}
