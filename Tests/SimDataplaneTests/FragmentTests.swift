import Core
import Testing

/// R11.
@Suite struct FragmentTests {
  /// A UDP datagram of 40 bytes in three fragments.
  private func fragments(
    _ from: Socket, _ to: Socket, identification: UInt16 = 7,
    transport: TransportProtocol = .udp
  ) -> [[UInt8]] {
    var ip = PacketBuilder.IPv4(from: from.ip, to: to.ip)
    ip.identification = identification
    let payload = (0..<32).map { UInt8($0) }
    let whole = FrameLayers(
      transport == .udp
        ? Node.ether.udp(ip, .init(from: from.port, to: to.port), payload: payload)
        : Node.ether.tcp(ip, .init(from: from.port, to: to.port, flags: .syn), payload: payload))
    let data = Array(whole.frame[34...])
    let cuts = [0..<24, 24..<32, 32..<data.count]
    return cuts.map { cut in
      ip.fragmentOffset = UInt16(cut.lowerBound / 8)
      ip.moreFragments = cut.upperBound < data.count
      return Node.ether.ipv4(ip, transport: transport.rawValue, payload: Array(data[cut]))
    }
  }

  /// What a receiver makes of fragments: the datagram, as one frame.
  private func reassemble(_ parts: [Outcome]) -> [UInt8] {
    guard let ip = FrameLayers(parts[0].bytes).ipv4 else { return [] }
    let header = PacketBuilder.IPv4(from: ip.source, to: ip.destination)
    let payload = parts.flatMap { Array($0.bytes[34...]) }
    return Node.ether.ipv4(header, transport: ip.transport, payload: payload)
  }

  private func node(_ transport: TransportProtocol = .udp) throws -> Node {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [7: 1])
    return node
  }

  @Test(arguments: TransportProtocol.allCases)
  func trackedBothWays(transport: TransportProtocol) throws {
    let node = try node(transport)
    let request = fragments(.client(), .service, transport: transport).map { node.send($0) }
    #expect(request.allSatisfy { $0.verdict == .forward(7) && $0.problems.isEmpty })
    #expect(request.allSatisfy { $0.ttl == 63 && $0.destination.ip == Node.pod(7).ip })
    #expect(ChecksumVerifier.problems(in: reassemble(request)).isEmpty)
    #expect(request[0].destination == .pod(7, 8080))

    if transport == .udp {
      let reply = fragments(.pod(7, 8080), .client()).map { node.send($0) }
      #expect(reply.allSatisfy { $0.verdict == .forward(6) && $0.source.ip == Node.vip })
      #expect(reply[0].source == .service)
      #expect(ChecksumVerifier.problems(in: reassemble(reply)).isEmpty)
    }
  }

  /// Payload of later fragments is not touched.
  @Test func payloadIsLeftAlone() throws {
    let node = try node()
    let frames = fragments(.client(), .service)
    for (i, frame) in frames.enumerated() {
      let out = node.send(frame)
      #expect(out.bytes.count == frame.count)
      if i > 0 { #expect(out.bytes[34...] == frame[34...]) }
    }
  }

  @Test func laterOneFirst() throws {
    let node = try node()
    let frames = fragments(.client(), .service)
    #expect(node.send(frames[1]).verdict == .drop(.fragment))
    #expect(node.send(frames[0]).verdict == .forward(7))
    #expect(node.send(frames[2]).verdict == .forward(7))
    #expect(node.plane.counters().dropped == [.fragment: 1])
  }

  @Test func otherDatagramsAreNotFollowed() throws {
    let node = try node()
    node.send(fragments(.client(), .service, identification: 7)[0])
    let other = fragments(.client(), .service, identification: 8)[1]
    #expect(node.send(other).verdict == .drop(.fragment))
    let stranger = fragments(.pod(9, 41_000), .service, identification: 7)[1]
    #expect(node.send(stranger).verdict == .drop(.fragment))
    let tcp = fragments(.client(), .service, identification: 7, transport: .tcp)[1]
    #expect(node.send(tcp).verdict == .drop(.fragment))
  }

  @Test func forgottenSoon() throws {
    let node = try node()
    let frames = fragments(.client(), .service)
    node.send(frames[0])
    node.now += 7
    #expect(node.send(frames[1]).verdict == .forward(7))
    node.now += 3
    #expect(node.send(frames[2]).verdict == .drop(.fragment))
  }

  /// Between pods nothing is tracked; ports are not looked for in payload.
  @Test func direct() throws {
    let node = try node()
    for frame in fragments(.client(), .pod(7, 80)).reversed() {
      let out = node.send(frame)
      #expect(out.verdict == .forward(7))
      #expect(out.bytes[34...] == frame[34...])
    }
    #expect(node.plane.learnedEntries(at: .zero).isEmpty)
  }

  /// A later fragment whose payload looks like a Service's ports is none of it.
  @Test func laterFragmentIsNotReadAsPorts() throws {
    let node = try node()
    var ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.vip)
    ip.fragmentOffset = 10
    let frame = Node.ether.udp(ip, .init(from: 41_000, to: 80))
    #expect(node.send(frame).verdict == .drop(.fragment))
    ip.destination = Node.pod(7).ip
    let direct = Node.ether.udp(ip, .init(from: 41_000, to: 80))
    #expect(node.send(direct).bytes[34...] == direct[34...])
    #expect(node.flows.isEmpty)
  }

  /// Two endpoints, one identification: the second datagram waits until the
  /// first one is forgotten, and is never mixed with it.
  @Test func identificationUsedTwice() throws {
    let node = try Node(pods: [7, 8])
    try node.serve(.udp, by: [7: 1, 8: 1])
    var ports: [Verdict: Socket] = [:]
    for port in UInt16(1)...64 { ports[node.udp(.client(port), .service).verdict] = .client(port) }
    let a = try #require(ports[.forward(7)])
    let b = try #require(ports[.forward(8)])
    let first = fragments(a, .service)
    let second = fragments(b, .service)
    #expect(node.send(first[0]).verdict == .forward(7))
    #expect(node.send(second[0]).verdict == .drop(.fragment))
    #expect(node.send(first[1]).verdict == .forward(7))
    node.now += 10
    #expect(node.send(second[0]).verdict == .forward(8))
    #expect(node.send(second[1]).verdict == .forward(8))
  }

  /// The table of fragments is full: what cannot be tracked is dropped whole.
  @Test func tableFull() throws {
    let node = try Node(pods: [7], sizes: ["fragments": 1])
    try node.serve(.udp, by: [7: 1])
    for id in UInt16(1)...4 {
      #expect(
        node.send(fragments(.client(), .service, identification: id)[0]).verdict == .forward(7))
    }
    let frames = fragments(.client(), .service, identification: 5)
    #expect(node.send(frames[0]).verdict == .drop(.flowTableFull))
    #expect(node.send(frames[1]).verdict == .drop(.fragment))
    let earlier = fragments(.client(), .service, identification: 4)
    #expect(node.send(earlier[1]).verdict == .forward(7))
  }

  /// The same for replies: nobody knows their later fragments, which leave as the
  /// endpoint's own, so the first one must not leave as the Service's.
  @Test func tableFullOfReplies() throws {
    let node = try Node(pods: [7], sizes: ["fragments": 1])
    try node.serve(.udp, by: [7: 1])
    node.udp(.client(), .service)
    for id in UInt16(1)...4 {
      node.send(fragments(.pod(7, 8080), .client(), identification: id)[0])
    }
    let parts = fragments(.pod(7, 8080), .client(), identification: 5).map { node.send($0) }
    let sources = Set(
      parts.compactMap { part -> IPv4Address? in
        if case .forward = part.verdict { part.source.ip } else { nil }
      })
    #expect(parts[0].verdict == .drop(.flowTableFull))
    #expect(sources == [Node.pod(7).ip], "half of the datagram is translated")
  }
}
