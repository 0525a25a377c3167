import Core
import Foundation
import Testing

@testable import Replay

@Suite struct ReplayerTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let multicast: [UInt8] = [1, 0, 0x5E, 0, 0, 1] + tcpFrame().dropFirst(6)

  func run(_ more: String = "", _ frames: [(UInt64, [UInt8])]? = nil) throws -> ReplayRun {
    let frames = frames ?? [(1000, tcpFrame(mark: 1)), (500, Self.multicast), (3000, tcpFrame())]
    let path = try scratch.write("in.pcap", CaptureImage.pcap(nano: true, frames))
    let state = try StateFile(yaml: StateFileTests.example + "\n" + more, path: "s.yaml")
    return ReplayRun(state: state, inputs: [CaptureInput(port: 2, path: path)])
  }

  @Test func theSummaryIsTheseBytes() throws {
    let out = scratch.path + "/deep/out"
    _ = try Replayer(run: try run()).replay(FakeDataplane().loaded, into: out)
    #expect(try scratch.names(in: "deep/out") == ["port-3.pcapng", "summary.json"])
    #expect(
      String(decoding: try scratch.read("deep/out/summary.json"), as: UTF8.self) == """
        {
          "clamped_times" : 1,
          "dropped" : {
            "multicast" : 1
          },
          "events" : 0,
          "flows" : 2,
          "forwarded" : {
            "3" : 2
          },
          "frames_in" : 3
        }

        """)
    let reader = try CaptureReader(path: out + "/port-3.pcapng")
    var expected = tcpFrame(mark: 1)
    expected[22] -= 1
    let first = try #require(try reader.next())
    #expect(first.bytes == expected)
    #expect(first.nanoseconds == 1000)
  }

  @Test func filesOfAnEarlierReplayAreReplacedAndOthersKept() throws {
    let out = scratch.path + "/out"
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    for name in ["out/port-77.pcapng", "out/port-x.pcapng", "out/notes.txt"] {
      _ = try scratch.write(name, [1])
    }
    _ = try Replayer(run: try run()).replay(FakeDataplane().loaded, into: out)
    #expect(
      try scratch.names(in: "out")
        == ["notes.txt", "port-3.pcapng", "port-x.pcapng", "summary.json"])
  }

  @Test func anErrorLeavesNothing() throws {
    var run = try run()
    let good = CaptureImage.pcap([(1, tcpFrame()), (2, tcpFrame())])
    let path = try scratch.write("cut.pcap", Array(good.dropLast(3)))
    run.inputs.append(CaptureInput(port: 3, path: path))
    let replayer = Replayer(run: run)
    #expect(throws: ReplayError.self) {
      try replayer.replay(FakeDataplane().loaded, into: scratch.path + "/new")
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/new"))
    try FileManager.default.createDirectory(
      atPath: scratch.path + "/old", withIntermediateDirectories: true)
    _ = try scratch.write("old/summary.json", [1])
    #expect(throws: ReplayError.self) {
      try replayer.replay(FakeDataplane().loaded, into: scratch.path + "/old")
    }
    #expect(try scratch.names(in: "old") == ["summary.json"])
    #expect(try scratch.read("old/summary.json") == [1])
    _ = try scratch.write("file", [1])
    #expect(throws: ReplayError.self) {
      try replayer.replay(FakeDataplane().loaded, into: scratch.path + "/file")
    }
  }

  @Test func eventsAndTimersReachTheDataplaneInTime() throws {
    let events = """
      timers: {tcpReset: 3, tcpEstablished: 60}
      events:
        - {at: 0.5, services: []}
        - {at: 1, pods: []}
        - {at: 99, pods: []}
      """
    let second: UInt64 = 1_000_000_000
    let run = try run(
      events, [(second, tcpFrame()), (second + second / 2, tcpFrame()), (3 * second, tcpFrame())])
    let fake = FakeDataplane()
    var seen: [(Int, Int, Int)] = []
    let outcome = try run.run([fake.loaded]) { (frame, names) throws(ReplayError) in
      seen.append((frame.number, fake.intents.count, names.services.count))
      return true
    }
    #expect(fake.timers == [0: 3, 5: 60])
    #expect(seen.map(\.1) == [1, 2, 3])
    #expect(seen.map(\.2) == [1, 0, 0])
    #expect(outcome.eventsApplied == 2)
    #expect(outcome.eventsNotReached == 1)
    #expect(outcome.warnings == ["events later than the last frame were not made: 1"])
    #expect(fake.intents.last?.pods.isEmpty == true)
  }

  @Test func aRefusedIntentNamesFileAndDataplane() throws {
    let text = StateFileTests.example.replacing("port: 3}", with: "port: 1000}")
    var run = try run()
    run.state = try StateFile(yaml: text, path: "s.yaml")
    let error = #expect(throws: ReplayError.self) {
      try run.run([FakeDataplane().loaded]) { (_, _) throws(ReplayError) in true }
    }
    #expect(error?.description == "s.yaml: fake: route: port is too high; use a lower one")
  }

  @Test func commentsCarryTheTrace() throws {
    let out = scratch.path + "/out"
    _ = try Replayer(run: try run(), annotate: true).replay(FakeDataplane().loaded, into: out)
    let text = String(decoding: try scratch.read("out/port-3.pcapng"), as: UTF8.self)
    for comment in [
      "frame 1 of the input, in on port 2", "a frame <x>", "flow     miss       no flow <yet>",
      "service  hit   pin  services web",
    ] {
      #expect(text.contains(comment))
    }
    #expect(throws: ReplayError.self) {
      let quiet = LoadedDataplane(QuietDataplane(FakeDataplane())) { (_) throws(DataplaneError) in }
      _ = try Replayer(run: try run(), annotate: true).replay(quiet, into: out)
    }
  }

  @Test func oneFrameOrAllAreTraced() throws {
    var frames: [TracedFrame] = []
    let tracer = Tracer(run: try run())
    try tracer.trace(FakeDataplane().loaded) { (frame) throws(ReplayError) in frames.append(frame) }
    #expect(frames.map(\.frame.number) == [1, 2, 3])
    #expect(frames[1].text.contains("\n  a frame <x>\n"))
    frames = []
    try tracer.trace(FakeDataplane().loaded, only: 2) { (frame) throws(ReplayError) in
      frames.append(frame)
    }
    #expect(frames.map(\.frame.number) == [2])
    let json = try JSONText.encode(frames)
    #expect(json.contains("\"drop\" : \"multicast\""))
    #expect(json.contains("\"table\" : \"service\""))
    #expect(throws: ReplayError.self) {
      try tracer.trace(FakeDataplane().loaded, only: 4) { (_) throws(ReplayError) in }
    }
  }
}
