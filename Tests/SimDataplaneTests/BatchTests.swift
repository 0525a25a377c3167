import Core
import Testing

@testable import SimDataplane

/// The hot path has the results of one frame at a time.
@Suite struct BatchTests {
  /// Frames of a few flows in any order, bad ones among them.
  private func frames(_ count: Int, seed: UInt64) -> [[UInt8]] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let port = UInt16.random(in: 1...30, using: &random)
      let isReply = Int.random(in: 0..<3, using: &random) == 0
      var ip = PacketBuilder.IPv4(
        from: isReply ? Node.pod(UInt8.random(in: 7...8, using: &random)).ip : Node.client.ip,
        to: isReply ? Node.client.ip : Node.vip)
      ip.ttl = UInt8.random(in: 0...9, using: &random)
      let ports = isReply ? (8080, port) : (port, UInt16(80))
      let flags: [TCPFlags] = [.syn, .ack, .ack, [.fin, .ack], .rst]
      var frame: [UInt8]
      switch Int.random(in: 0..<8, using: &random) {
      case 0: frame = (0..<Int.random(in: 0...99, using: &random)).map { UInt8($0) }
      case 1:
        frame = Node.ether.arp(
          operation: 1, senderMAC: Node.client.mac, senderIP: ip.source, targetIP: ip.destination)
      case 2:
        ip.moreFragments = Bool.random(using: &random)
        ip.fragmentOffset = ip.moreFragments ? 0 : 4
        ip.identification = port % 8
        frame = Node.ether.udp(ip, .init(from: ports.0, to: ports.1), payload: [1, 2])
      case 3, 4: frame = Node.ether.udp(ip, .init(from: ports.0, to: ports.1))
      default:
        frame = Node.ether.tcp(
          ip,
          .init(
            from: ports.0, to: ports.1, flags: flags.randomElement(using: &random) ?? .ack))
      }
      switch Int.random(in: 0..<10, using: &random) {
      case 0: frame = Array(frame.prefix(Int.random(in: 0...60, using: &random)))
      case 1:
        if let i = frame.indices.randomElement(using: &random) { frame[i] ^= 0x41 }
      default: break
      }
      return frame
    }
  }

  private func node() throws -> Node {
    let node = try Node(pods: [7, 8], sizes: ["flows": 16, "fragments": 2])
    for transport in TransportProtocol.allCases { try node.serve(transport, by: [7: 1, 8: 1]) }
    return node
  }

  /// Around the number of frames that are prepared at once, and far beyond.
  @Test(arguments: [0, 1, 31, 32, 33, 64, 500], UInt64(1)...3)
  func equalsSingleFrames(count: Int, seed: UInt64) throws {
    let single = try node()
    let batched = try node()
    for round in 0..<4 {
      let time = Timestamp.seconds(Double(round) * 20)
      let frames = frames(count, seed: seed * 10 + UInt64(round))
      var batch = FrameBatch(capacity: count)
      for frame in frames {
        let fits = frame.withUnsafeBytes { batch.append($0, port: 3) }
        #expect(fits)
      }
      batched.plane.process(batch, at: time)
      for (i, frame) in frames.enumerated() {
        var bytes = frame
        let verdict = single.plane.process(&bytes, port: 3, at: time)
        #expect(batch.verdict(i) == verdict, "frame \(i): \(PacketSummary.line(frame))")
        #expect(Array(batch.bytes(i)) == bytes, "frame \(i): \(PacketSummary.line(frame))")
      }
      #expect(batched.plane.counters() == single.plane.counters())
      #expect(batched.plane.learnedEntries(at: time) == single.plane.learnedEntries(at: time))
    }
    let counters = single.plane.counters()
    if count == 500 { #expect(counters.dropped.count >= 8) }
    #expect(
      counters.forwarded.values.reduce(0, +) + counters.dropped.values.reduce(0, +)
        == UInt64(count * 4))
  }

  /// What one frame of a batch learns the next one finds.
  @Test func framesOfOneFlow() throws {
    let node = try node()
    let ip = PacketBuilder.IPv4(from: Node.client.ip, to: Node.vip)
    var batch = FrameBatch(capacity: 3)
    for flags: TCPFlags in [.syn, .ack, .rst] {
      let frame = Node.ether.tcp(ip, .init(from: 1, to: 80, flags: flags))
      _ = frame.withUnsafeBytes { batch.append($0, port: 6) }
    }
    node.plane.process(batch, at: .zero)
    #expect(Set((0..<3).map { batch.verdict($0) }).count == 1)
    #expect(node.plane.counters().dropped.isEmpty)
  }

  /// Tracing changes nothing.
  @Test func traceEqualsProcess() throws {
    let single = try node()
    let traced = try node()
    for (i, frame) in frames(500, seed: 9).enumerated() {
      var (a, b) = (frame, frame)
      let time = Timestamp.seconds(Double(i) / 10)
      let verdict = single.plane.process(&a, port: 0, at: time)
      let trace = traced.plane.trace(&b, port: 0, at: time, names: NameBook())
      #expect(trace.verdict == verdict)
      #expect(a == b)
    }
    #expect(traced.plane.counters() == single.plane.counters())
    let end = Timestamp.seconds(50)
    #expect(traced.plane.learnedEntries(at: end) == single.plane.learnedEntries(at: end))
  }
}
