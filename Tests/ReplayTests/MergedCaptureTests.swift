import Core
import Testing

@testable import Replay

@Suite struct MergedCaptureTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  func input(_ name: String, port: PortID, _ frames: [(UInt64, UInt8)]) throws -> CaptureInput {
    let image = CaptureImage.pcap(nano: true, frames.map { ($0.0, tcpFrame(mark: $0.1)) })
    return CaptureInput(port: port, path: try scratch.write(name, image))
  }

  func merge(_ inputs: [CaptureInput]) throws -> (frames: [InputFrame], clamped: Int) {
    var merged = try MergedCapture(inputs)
    var frames: [InputFrame] = []
    while let frame = try merged.next() { frames.append(frame) }
    return (frames, merged.clamped)
  }

  @Test func framesComeByTimeThenPortThenFile() throws {
    let frames = try merge([
      try input("a", port: 5, [(1000, 1), (2000, 2)]),
      try input("b", port: 2, [(1000, 3), (3000, 4)]),
      try input("c", port: 5, [(1000, 5), (1000, 6)]),
      try input("d", port: 2, [(500, 7), (2000, 8)]),
    ]).frames
    #expect(frames.map { $0.bytes.last } == [7, 3, 1, 5, 6, 8, 2, 4])
    #expect(frames.map(\.number) == Array(1...8))
    #expect(frames.map(\.time.nanoseconds) == [0, 500, 500, 500, 500, 1500, 1500, 2500])
    #expect(frames.map(\.nanoseconds)[0] == 500)
    #expect(frames[5].sourceNumber == 2)
  }

  @Test func timeNeverGoesBackwardsAndAFileKeepsItsOrder() throws {
    let (frames, clamped) = try merge([
      try input("a", port: 2, [(1000, 1), (400, 2), (900, 3), (1200, 4)]),
      try input("b", port: 1, [(500, 5), (1000, 6)]),
    ])
    #expect(frames.map { $0.bytes.last } == [5, 6, 1, 2, 3, 4])
    #expect(frames.map(\.time.nanoseconds) == [0, 500, 500, 500, 500, 700])
    #expect(clamped == 2)
  }

  @Test func aSpanOfManyYearsIsRefused() throws {
    let input = try input("a", port: 2, [(1000, 1), (4_000_000_000_000_000_000, 2)])
    let error = #expect(throws: ReplayError.self) { try merge([input]) }
    #expect(error?.place.hasSuffix("a: frame 2") == true)
  }

  @Test func optionsAreReadStrictly() {
    #expect(CaptureInput("3=a=b.pcap") == CaptureInput(port: 3, path: "a=b.pcap"))
    for text in ["", "3", "=a", "3=", "-1=a", "+1=a", "x=a", "4294967296=a", "2147483648=a"] {
      #expect(CaptureInput(text) == nil, "\(text)")
    }
  }
}
