import Testing

@testable import Replay

@Suite struct CaptureReaderTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let start: UInt64 = 1_700_000_000_000_000_000

  func readAll(_ bytes: [UInt8], _ name: String = "x.pcap") throws -> [CapturedFrame] {
    let reader = try CaptureReader(path: try scratch.write(name, bytes))
    var frames: [CapturedFrame] = []
    while let frame = try reader.next() { frames.append(frame) }
    return frames
  }

  func refusal(_ bytes: [UInt8]) -> String {
    do {
      _ = try readAll(bytes)
      return "accepted"
    } catch let error as ReplayError {
      return error.description.replacing(scratch.path + "/", with: "")
    } catch { return "\(error)" }
  }

  @Test(arguments: [false, true], [false, true])
  func everyVariantOfBothFormatsIsRead(big: Bool, nano: Bool) throws {
    let frames: [(UInt64, [UInt8])] = [
      (Self.start + 123_456_789, tcpFrame(mark: 1)),
      (Self.start + 5_000_000_001, tcpFrame(mark: 2)),
    ]
    for image in [
      CaptureImage.pcap(big: big, nano: nano, frames),
      CaptureImage.pcapng(big: big, nano: nano, frames),
      CaptureImage.pcapng(big: big, nano: nano, interfaces: [(1, 0), (1, 0)], frames),
    ] {
      let read = try readAll(image)
      #expect(read.map(\.number) == [1, 2])
      #expect(read.map(\.bytes) == frames.map(\.1))
      let unit: UInt64 = nano ? 1 : 1000
      #expect(read.map(\.nanoseconds) == frames.map { $0.0 / unit * unit })
    }
  }

  @Test func otherLinkTypesAreRefusedByName() {
    #expect(
      refusal(CaptureImage.pcap(linkType: 113, [(0, tcpFrame())]))
        == "x.pcap: link type is LINUX_SLL, not Ethernet; capture on one interface, "
        + "not on \"any\"")
  }

  @Test func cutFramesAreRefusedWithTheirNumber() {
    let frames = [(Self.start, tcpFrame())]
    #expect(
      refusal(CaptureImage.pcap(frames, wireLength: 1500))
        == "x.pcap: frame 1: only 55 of 1500 bytes are there: captured with a snap length; "
        + "capture again with -s 0")
    #expect(refusal(CaptureImage.pcap(frames, wireLength: 20)).contains("the file is damaged"))
    // A record longer than the file's own snap length is cut by libpcap.
    #expect(refusal(CaptureImage.pcap(snapLength: 40, frames)).contains("frame 1: only 40 of 55"))
  }

  @Test func interfacesThatDifferAreRefusedWithWhatToDo() {
    for interfaces in [[(1, 0), (113, 0)], [(1, 0), (1, 96)]] as [[(UInt16, UInt32)]] {
      let image = CaptureImage.pcapng(
        interfaces: interfaces, [(1, tcpFrame()), (2, tcpFrame())])
      let text = refusal(image)
      #expect(text.contains("write each interface to a file of its own"), "\(text)")
    }
  }

  @Test func whatIsNoCaptureIsRefusedWithWhatToDo() {
    #expect(refusal([]).contains("the file is cut short"))
    #expect(refusal(Array("\u{1F}\u{8B} not a capture, but long enough".utf8)).contains("unpack"))
    #expect(throws: ReplayError.self) { try CaptureReader(path: "/nowhere/at/all.pcap") }
    #expect(throws: ReplayError.self) { try CaptureReader(path: scratch.path) }
  }

  @Test func timesOutOfRangeAreRefused() throws {
    var image = CaptureImage.pcapng(nano: true, [(UInt64.max, tcpFrame())])
    #expect(try readAll(image)[0].nanoseconds == UInt64.max)
    // The resolution becomes 10^0: the same number is now seconds.
    let option = image.firstRange(of: [9, 0, 1, 0, 9])!
    image[option.upperBound - 1] = 0
    #expect(refusal(image).contains("time stamp is before 1970 or after 2554"))
  }

  @Test func everyTruncationIsAnErrorOrFewerFrames() throws {
    let frames: [(UInt64, [UInt8])] = [(Self.start, tcpFrame()), (Self.start + 1, tcpFrame())]
    for image in [
      CaptureImage.pcap(frames), CaptureImage.pcapng(nano: true, frames),
      CaptureImage.pcapng(big: true, interfaces: [(1, 0), (1, 0)], frames),
    ] {
      for end in 0..<image.count {
        guard let read = try? readAll(Array(image[..<end])) else { continue }
        #expect(read.count < 2)
      }
    }
  }

  @Test func everyFlippedByteIsAnErrorOrFrames() throws {
    let frames: [(UInt64, [UInt8])] = [(Self.start, tcpFrame()), (Self.start + 1, tcpFrame())]
    for image in [CaptureImage.pcap(frames), CaptureImage.pcapng(nano: true, frames)] {
      for at in image.indices {
        for value in [0, 0x7F, 0xFF] as [UInt8] {
          var broken = image
          broken[at] = value
          _ = try? readAll(broken)
        }
      }
    }
  }
}
