import Core
import Forwarding
import Hosting
import Testing

/// The port between pipeline and controller.
struct ControllerPortTests {
  private static func forwarder(_ port: PortID?) throws -> Forwarder {
    var options = Forwarder.Options()
    options.controllerPort = port
    return try Forwarder(options: options)
  }

  @Test func framesGoBothWays() async throws {
    let forwarder = try Self.forwarder(9)
    let recorder = FrameRecorder()
    try await forwarder.install { RecordingDataplane(recorder, verdict: .forward(9)) }
    // More than a batch.
    let sent = (0..<200).map { [UInt8](repeating: UInt8($0), count: 60 + $0) }
    var received = forwarder.framesForController().makeAsyncIterator()
    for frame in sent {
      try await forwarder.inject(frame)
      #expect(await received.next() == frame)
    }
    await forwarder.stop()
    #expect(await received.next() == nil)
  }

  /// A controller that does not listen costs frames, not memory.
  @Test func slowControllerLosesFrames() async throws {
    let forwarder = try Self.forwarder(9)
    try await forwarder.install { RecordingDataplane(FrameRecorder(), verdict: .forward(9)) }
    for _ in 0..<1000 { try await forwarder.inject([UInt8](repeating: 1, count: 60)) }
    await forwarder.stop()
    var count = 0
    for await _ in forwarder.framesForController() { count += 1 }
    #expect(count == 256)
  }

  @Test func refusals() async throws {
    let without = try Self.forwarder(nil)
    await #expect(throws: DataplaneError.self) { try await without.inject([1]) }
    await without.stop()
    let forwarder = try Self.forwarder(9)
    await #expect(throws: DataplaneError.self, "no pipeline") { try await forwarder.inject([1]) }
    try await forwarder.install { RecordingDataplane(FrameRecorder()) }
    let long = [UInt8](repeating: 0, count: FrameBatch.longestFrame + 1)
    await #expect(throws: DataplaneError.self) { try await forwarder.inject(long) }
    await forwarder.stop()
    await #expect(throws: DataplaneError.self) { try await forwarder.inject([1]) }
  }
}
