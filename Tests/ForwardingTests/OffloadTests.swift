import Core
import Replay
import Testing

@testable import Forwarding

/// What the kernel has left undone on a frame, and headers that lie.
struct OffloadTests {
  private let ether = PacketBuilder(from: MACAddress(1), to: MACAddress(2))
  private let ip = PacketBuilder.IPv4(
    from: IPv4Address(0x0AF4_0006), to: IPv4Address(0x0AF4_0007))

  private func tcp(_ payload: Int, vlan: UInt16? = nil) -> [UInt8] {
    PacketBuilder(from: MACAddress(1), to: MACAddress(2), vlan: vlan).tcp(
      ip, PacketBuilder.TCP(from: 40000, to: 80, flags: .ack),
      payload: [UInt8](repeating: 7, count: payload))
  }

  private func header(start: Int = 34, offset: Int = 16, gso: UInt8 = 0, size: UInt16 = 0)
    -> OffloadHeader
  {
    var header = OffloadHeader()
    header.flags = OffloadHeader.needsChecksum
    header.checksumStart = UInt16(start)
    header.checksumOffset = UInt16(offset)
    header.segmentation = gso
    header.segmentSize = size
    return header
  }

  private func offload(_ header: OffloadHeader, _ frame: inout [UInt8]) -> Offload? {
    let length = frame.count
    return frame.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.flatMap { Offload(header, frame: $0, length: length) }
    }
  }

  @Test func wholeFramesAreLeftAlone() {
    var frame = tcp(100)
    let before = frame
    #expect(offload(OffloadHeader(), &frame) == Offload.none)
    #expect(frame == before)
  }

  @Test(arguments: [nil, UInt16(5)]) func segmentsKeepTheirSize(_ vlan: UInt16?) throws {
    var frame = tcp(20_000, vlan: vlan)
    let shift = vlan == nil ? 0 : 4
    let found = try #require(offload(header(start: 34 + shift, gso: 1, size: 1448), &frame))
    #expect(found.isPartial && found.segmentSize == 1448)
    let length = frame.count
    let out = try #require(
      frame.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.flatMap { found.header(for: $0, length: length) }
      })
    #expect(out.segmentation == 1 && out.segmentSize == 1448 && out.flags == 1)
    #expect(out.checksumStart == UInt16(34 + shift) && out.headerLength == UInt16(54 + shift))
  }

  /// The pseudo header's sum is what the receiver, or the kernel, adds up from.
  @Test func checksumOfARewrittenFrame() throws {
    var frame = tcp(1000)
    let right = frame
    let found = try #require(offload(header(), &frame))
    // A pipeline has changed the address and adjusted a sum that was never whole.
    frame[50] ^= 0x5A
    frame[51] ^= 0xA5
    let length = frame.count
    frame.withUnsafeMutableBytes { bytes in
      if let frame = bytes.baseAddress { found.finishChecksum(of: frame, length: length) }
    }
    #expect(frame == right)
  }

  /// A capture has the checksum that a pipeline makes of a whole one: 0 may be one of TCP, not
  /// of UDP.
  @Test(arguments: TransportProtocol.allCases) func aChecksumOfZero(
    _ transport: TransportProtocol
  ) throws {
    let field = transport == .tcp ? 50 : 40
    let wanted: [UInt8] = transport == .tcp ? [0, 0] : [0xFF, 0xFF]
    let right = try #require(
      (0...UInt16.max).lazy.map { word in
        let payload = [UInt8(word >> 8), UInt8(word & 0xFF)]
        return transport == .tcp
          ? ether.tcp(ip, PacketBuilder.TCP(from: 40000, to: 80, flags: .ack), payload: payload)
          : ether.udp(ip, PacketBuilder.UDP(from: 40000, to: 80), payload: payload)
      }.first { Array($0[field..<field + 2]) == wanted })
    var frame = right
    let found = try #require(offload(header(offset: field - 34), &frame))
    frame.withUnsafeMutableBytes { bytes in
      if let frame = bytes.baseAddress { found.finishChecksum(of: frame, length: bytes.count) }
    }
    #expect(frame == right)
  }

  @Test func headersThatContradictTheFrame() {
    var frame = tcp(1000)
    let bad: [(OffloadHeader, String)] = [
      (header(start: 13), "before the packet"),
      (header(start: 65_000), "behind the frame"),
      (header(start: 1052, offset: 1), "field behind the frame"),
      (header(gso: 5, size: 1000), "UDP segments in TCP"),
      (header(gso: 4, size: 1000), "IPv6 segments in IPv4"),
      (header(gso: 1, size: 7), "segments smaller than any"),
      (header(gso: 1, size: 0), "no size"),
      (header(gso: 9, size: 1000), "no such kind"),
      (header(start: 38, gso: 1, size: 1000), "not where TCP is"),
    ]
    for (header, why) in bad { #expect(offload(header, &frame) == nil, "\(why)") }
    var plain = OffloadHeader()
    plain.segmentation = 1
    plain.segmentSize = 1000
    #expect(offload(plain, &frame) == nil, "segments without a checksum to make")
  }

  /// Random headers on random frames: no byte beyond the frame is touched, and what
  /// is accepted can be written out again.
  @Test func anyHeader() {
    var random = SplitMix64(seed: 1)
    var accepted = 0
    for _ in 0..<20_000 {
      var frame = tcp(Int.random(in: 0...200, using: &random))
      if Bool.random(using: &random) {
        for _ in 0..<3 {
          frame[Int.random(in: 12..<54, using: &random)] = .random(in: 0...255, using: &random)
        }
      }
      frame.removeLast(Int.random(in: 0...frame.count - 14, using: &random))
      let guardBytes = [UInt8](repeating: 0xEE, count: 64)
      let length = frame.count
      frame += guardBytes
      var header = OffloadHeader()
      header.flags = .random(in: 0...3, using: &random)
      header.segmentation = [0, 0, 1, 1, 3, 4, 5, 0x81].randomElement(using: &random) ?? 0
      header.segmentSize = .random(in: 0...300, using: &random)
      header.checksumStart =
        [34, 38, .random(in: 0...400, using: &random)]
        .randomElement(using: &random) ?? 0
      header.checksumOffset =
        [6, 16, .random(in: 0...70, using: &random)]
        .randomElement(using: &random) ?? 0
      frame.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        if let offload = Offload(header, frame: base, length: length) {
          accepted += 1
          #expect(offload.header(for: base, length: length) != nil)
        }
      }
      #expect(Array(frame.suffix(64)) == guardBytes)
    }
    #expect(accepted > 1000)
  }
}
