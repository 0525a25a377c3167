import Core
import Testing

@testable import Replay

@Suite struct FrameFieldsTests {
  @Test func fieldsAreNamed() {
    let names = FrameFields(tcpFrame()).names(of: [0, 5, 6, 22, 24, 25, 34, 50, 54])
    #expect(
      names == [
        "destination MAC", "source MAC", "IPv4 TTL", "IPv4 checksum", "TCP source port",
        "TCP checksum", "payload",
      ])
  }

  @Test func everyTruncationAndByteIsSurvived() {
    let whole = tcpFrame()
    for end in 0...whole.count {
      let frame = Array(whole[..<end])
      #expect(FrameFields(frame).names(of: [0]) == ["destination MAC"])
      for at in frame.indices {
        for value in [0, 0x45, 0x4F, 0xFF] as [UInt8] {
          var broken = frame
          broken[at] = value
          #expect(FrameFields(broken).names(of: [at]).count == 1)
        }
      }
    }
  }
}
