import Testing

@testable import Core

@Suite struct FrameGateTests {
  private let memory = GuardedMemory()
  private let ip = PacketBuilder.IPv4(
    from: IPv4Address(0x0AF4_0006), to: IPv4Address(0x0A60_0050))

  private func builder(_ tagged: Bool) -> PacketBuilder {
    PacketBuilder(
      from: MACAddress(0x0200_0000_0206), to: MACAddress(0x0200_0000_0001),
      vlan: tagged ? 7 : nil)
  }

  private func check(_ frame: [UInt8]) -> DropReason? {
    FrameGate.check(memory.place(frame), length: frame.count)
  }

  /// The rules once more, slowly.
  private func expected(_ frame: [UInt8]) -> DropReason? {
    func word(_ i: Int) -> Int { Int(frame[i]) * 256 + Int(frame[i + 1]) }
    if frame.count < 14 { return .truncated }
    let tagged = word(12) == 0x8100
    if tagged && frame.count < 18 { return .truncated }
    let l3 = tagged ? 18 : 14
    let type = word(l3 - 2)
    if type == 0x0806 { return frame.count - l3 < 28 ? .truncated : nil }
    if type != 0x0800 { return nil }
    if frame.count - l3 < 20 { return .truncated }
    let (version, words) = (frame[l3] / 16, Int(frame[l3] % 16))
    if version != 4 || words < 5 { return nil }
    if l3 + words * 4 > frame.count { return .truncated }
    let total = word(l3 + 2)
    if total < words * 4 || l3 + total > frame.count { return .badLength }
    if word(l3 + 6) % 8192 != 0 { return nil }
    let more = word(l3 + 6) / 8192 % 2 == 1
    let (l4, payload) = (l3 + words * 4, total - words * 4)
    switch frame[l3 + 9] {
    case 6:
      if payload < 20 { return .truncated }
      let size = Int(frame[l4 + 12] / 16) * 4
      return size < 20 || (size > payload && !more) ? .badLength : nil
    case 17:
      if payload < 8 { return .truncated }
      return word(l4 + 4) < 8 || (word(l4 + 4) > payload && !more) ? .badLength : nil
    default: return nil
    }
  }

  @Test(arguments: [false, true])
  func everyCutOfEveryFrame(tagged: Bool) {
    let b = builder(tagged)
    var optioned = ip
    optioned.options = [UInt8](repeating: 1, count: 40)
    var frames = [
      b.arp(operation: 1, senderMAC: b.source, senderIP: ip.source, targetIP: ip.destination),
      b.frame(etherType: EtherType.ipv6, payload: [UInt8](repeating: 0x60, count: 40)),
      b.icmp(ip, type: 8),
    ]
    for header in [ip, optioned] {
      frames.append(b.tcp(header, .init(from: 1, to: 2, flags: .syn), payload: [1, 2, 3]))
      frames.append(b.udp(header, .init(from: 1, to: 2), payload: [1, 2, 3]))
    }
    for frame in frames {
      #expect(check(frame) == nil)
      #expect(check(frame + [0, 0, 0]) == nil, "padding is no fault")
      for length in 0...frame.count {
        let cut = Array(frame[..<length])
        #expect(check(cut) == expected(cut), "cut to \(length)")
      }
    }
  }

  @Test(arguments: [false, true])
  func everyLengthField(tagged: Bool) {
    let b = builder(tagged)
    let l3 = tagged ? 18 : 14
    var seen: Set<DropReason?> = []
    for transport: UInt8 in [1, 6, 17] {
      for firstByte: UInt8 in [0x00, 0x35, 0x44, 0x45, 0x46, 0x4F, 0x55, 0x65] {
        for flags: UInt16 in [0, 0x4000, 0x2000, 1, 0x2001, 0x1FFF, 0x8000] {
          for space in [0, 7, 8, 9, 19, 20, 21, 24, 25, 40, 60] {
            var frame = b.ipv4(ip, transport: transport, payload: .init(repeating: 0, count: space))
            frame[l3] = firstByte
            frame.set(flags, at: l3 + 6)
            let header = Int(firstByte & 0xF) * 4
            for total in [0, 19, 20, header - 1, header, 20 + space - 1, 20 + space, 21 + space]
            where total >= 0 {
              frame.set(UInt16(total), at: l3 + 2)
              let l4 = l3 + header
              for inner in [0, 4, 5, 6, 7, 8, 9, 15, space, space + 1] {
                if transport == 6, l4 + 12 < frame.count { frame[l4 + 12] = UInt8(inner & 15) << 4 }
                if transport == 17, l4 + 6 <= frame.count { frame.set(UInt16(inner), at: l4 + 4) }
                let found = check(frame)
                seen.insert(found)
                if found != expected(frame) {
                  Issue.record("\(frame): \(String(describing: found))")
                  return
                }
              }
            }
          }
        }
      }
    }
    #expect(seen == [nil, .truncated, .badLength])
  }

  @Test func randomBytes() {
    var random = SeededGenerator(seed: 1)
    let b = builder(false)
    let good = b.tcp(ip, .init(from: 1, to: 2, flags: .ack), payload: [1, 2, 3, 4])
    for _ in 0..<50_000 {
      var frame = Array(good[..<Int.random(in: 0...good.count, using: &random)])
      for _ in 0..<3 where !frame.isEmpty {
        frame[Int.random(in: 0..<frame.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if check(frame) != expected(frame) { Issue.record("\(frame)") }
      _ = PacketSummary.line(frame)
      _ = ChecksumVerifier.problems(in: frame)
    }
  }
}
