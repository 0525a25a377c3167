import Core
import Testing

@testable import SimDataplane

/// R13: what is cut short or malformed is dropped with a reason, and touches
/// nothing.
@Suite struct MalformedFrameTests {
  private func node() throws -> Node {
    let node = try Node(pods: [7])
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [7: 1]) }
    return node
  }

  private static let ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.vip)

  static let whole: [[UInt8]] = {
    var tagged = Node.ether
    tagged.vlan = 5
    var options = ip
    options.options = [UInt8](repeating: 1, count: 40)
    return [
      Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .syn)),
      Node.ether.udp(ip, .init(from: 1, to: 80)),
      tagged.tcp(options, .init(from: 1, to: 80, flags: .syn)),
      tagged.arp(
        operation: 1, senderMAC: Node.client.mac, senderIP: Node.client.ip,
        targetIP: Node.pod(7).ip),
    ]
  }()

  /// Every prefix of a frame: dropped, unchanged, without a trace in any table.
  @Test(arguments: whole)
  func everyTruncation(frame: [UInt8]) throws {
    let node = try node()
    for length in 0..<frame.count {
      let cut = Array(frame[..<length])
      let out = node.send(cut)
      #expect(
        out.verdict == .drop(.truncated) || out.verdict == .drop(.badLength), "\(length) bytes")
      #expect(out.bytes == cut)
    }
    let counters = node.plane.counters()
    #expect(counters.tables.values.allSatisfy { $0.hit + $0.miss == 0 })
    #expect(counters.learners.values.allSatisfy { $0.hit + $0.miss == 0 })
    guard case .forward = node.send(frame).verdict else {
      Issue.record("the whole frame is dropped")
      return
    }
  }

  /// Length fields that contradict the frame.
  @Test func badLengths() throws {
    let node = try node()
    var frames: [[UInt8]] = []
    for total in [0, 19, 39, 41, 1500, 65_535] as [UInt16] {
      var ip = Self.ip
      ip.totalLength = total
      frames.append(Node.ether.tcp(ip, .init(from: 1, to: 80, flags: .syn)))
    }
    for length in [0, 7, 9, 65_535] as [UInt16] {
      var udp = PacketBuilder.UDP(from: 1, to: 80)
      udp.length = length
      frames.append(Node.ether.udp(Self.ip, udp))
    }
    for offset in [0, 4, 6, 15] as [UInt8] {
      var tcp = PacketBuilder.TCP(from: 1, to: 80, flags: .syn)
      tcp.dataOffset = offset
      frames.append(Node.ether.tcp(Self.ip, tcp))
    }
    for frame in frames {
      let out = node.send(frame)
      #expect(
        out.verdict == .drop(.badLength) || out.verdict == .drop(.truncated),
        "\(PacketSummary.line(frame))")
      #expect(out.bytes == frame)
    }
    #expect(node.flows.isEmpty)
  }

  /// Frames that are not IP, after frames that are: as they came, and without a
  /// look-up.
  @Test func staleHeaders() throws {
    let node = try node()
    node.connect(.client(), .service)
    let before = node.plane.counters()
    for type in [0x0000, 0x05DC, 0x86DD, 0x88CC, 0x9100, 0x0801, 0x8847] as [UInt16] {
      node.tcp(.client(), .service, .ack)
      let known = node.plane.counters()
      let frame = Node.ether.frame(etherType: type, payload: [0x45, 0, 0, 20])
      let out = node.send(frame)
      #expect(out.verdict == .forward(K8sDP.hostPort))
      #expect(out.bytes == frame)
      #expect(node.plane.counters().tables == known.tables)
      #expect(node.plane.counters().learners == known.learners)
    }
    #expect(before.dropped.isEmpty)
  }

  /// A transport that has no ports does not inherit any.
  @Test func transportWithoutPorts() throws {
    let node = try node()
    node.connect(.client(), .service)
    for transport in [0, 1, 2, 47, 50, 132, 255] as [UInt8] {
      node.tcp(.client(), .service, .ack)
      let frame = Node.ether.ipv4(
        Self.ip, transport: transport, payload: [0xA0, 0x28, 0, 80, 0, 0, 0, 0])
      #expect(node.send(frame).verdict == .drop(.noService))
    }
  }

  /// Random bytes never crash, keep their length, and are all counted.
  @Test func garbage() throws {
    let node = try node()
    var random = SeededGenerator(seed: 13)
    var frames: UInt64 = 0
    for length in 0...600 {
      var frame = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      for type: [UInt8] in [[8, 0], [8, 6], [0x81, 0]] {
        if length >= 14 { frame.replaceSubrange(12..<14, with: type) }
        if length >= 15 { frame[14] = frame[14] & 0xF | 0x40 }
        #expect(node.send(frame).bytes.count == length)
        frames += 1
      }
    }
    let counters = node.plane.counters()
    #expect(
      counters.forwarded.values.reduce(0, +) + counters.dropped.values.reduce(0, +) == frames)
  }

  @Test func oversized() throws {
    let node = try node()
    let frame = [UInt8](repeating: 0, count: 70_000)
    #expect(node.send(frame).verdict == .drop(.oversized))
  }
}
