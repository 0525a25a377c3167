/// What a host checks before a frame enters the pipeline, since P4 cannot see
/// lengths: that the headers are there and that they do not lie about them.
public enum FrameGate {
  /// - Returns: nil for a frame that may enter. Never reads past `length`.
  @inline(__always)
  public static func check(_ frame: UnsafeRawPointer, length: Int) -> DropReason? {
    @inline(__always) func u8(_ offset: Int) -> Int {
      Int(frame.load(fromByteOffset: offset, as: UInt8.self))
    }
    @inline(__always) func u16(_ offset: Int) -> Int {
      Int(UInt16(bigEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }
    guard length >= 14 else { return .truncated }
    var type = u16(12)
    var l3 = 14
    if type == 0x8100 {
      guard length >= 18 else { return .truncated }
      type = u16(16)
      l3 = 18
    }
    if type == 0x0806 { return length >= l3 &+ 28 ? nil : .truncated }
    guard type == 0x0800 else { return nil }
    guard length >= l3 &+ 20 else { return .truncated }

    let versionAndLength = u8(l3)
    // The pipeline drops these with a reason of its own.
    guard versionAndLength >= 0x45, versionAndLength <= 0x4F else { return nil }
    let header = (versionAndLength & 0xF) &* 4
    guard length >= l3 &+ header else { return .truncated }
    let total = u16(l3 &+ 2)
    // A frame may be longer: Ethernet pads to 60 bytes.
    guard total >= header, l3 &+ total <= length else { return .badLength }

    let fragment = u16(l3 &+ 6)
    guard fragment & 0x1FFF == 0 else { return nil }
    let moreFragments = fragment & 0x2000 != 0
    let payload = total &- header
    let l4 = l3 &+ header
    switch u8(l3 &+ 9) {
    case 6:
      guard payload >= 20 else { return .truncated }
      let tcpHeader = (u8(l4 &+ 12) &>> 4) &* 4
      guard tcpHeader >= 20, moreFragments || tcpHeader <= payload else { return .badLength }
    case 17:
      guard payload >= 8 else { return .truncated }
      let udp = u16(l4 &+ 4)
      guard udp >= 8, moreFragments || udp <= payload else { return .badLength }
    default: break
    }
    return nil
  }
}
