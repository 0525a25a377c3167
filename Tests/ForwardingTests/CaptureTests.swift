import Core
import Forwarding
import Hosting
import NodeTesting
import Testing

/// What those see who look at frames.
struct CaptureTests {
  /// Lowers a byte of each frame and sends it back to the controller; frames that begin with a
  /// zero are dropped.
  private final class Lowering: Dataplane {
    let name = "lowering"
    let contract = K8sDP.contract
    let clock = EngineClock.model
    func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
      for i in 0..<batch.count {
        let first = batch.frame(i).load(as: UInt8.self)
        guard first > 0 else {
          batch.verdicts[i] = Verdict.drop(.noService).encoded
          continue
        }
        // One in three is left as it is.
        if first % 3 != 0 { batch.frame(i).storeBytes(of: first - 1, as: UInt8.self) }
        batch.verdicts[i] = first == 200 ? 77 : 9
      }
    }
    func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      .forward(9)
    }
    func apply(_ updates: [Update]) throws(DataplaneError) {
      for case .delete(let table, _) in updates where table == "nowhere" {
        throw DataplaneError(.notFound, table, "no such table")
      }
    }
    func entries(of table: String) throws(DataplaneError) -> [TableEntry] { [] }
    func setTimer(_ profile: Int, seconds: UInt32) {}
    func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }
    func counters() -> Counters { Counters() }
  }

  private static func forwarder() async throws -> Forwarder {
    var options = Forwarder.Options()
    options.controllerPort = 9
    let forwarder = try Forwarder(options: options)
    try await forwarder.install { Lowering() }
    return forwarder
  }

  private static func frame(_ first: UInt8, _ length: Int = 60) -> [UInt8] {
    [first] + [UInt8](repeating: 0xAA, count: length - 1)
  }

  /// Everything that a capture sees until it ends.
  private static func all(_ capture: any FrameCapture) async -> CaptureBatch {
    var all = CaptureBatch()
    while let batch = await capture.next() {
      let offset = all.bytes.count
      all.bytes += batch.bytes
      all.missed = batch.missed
      all.changes += batch.changes
      all.frames += batch.frames.map { frame in
        var frame = frame
        frame.bytes = frame.bytes.lowerBound + offset..<frame.bytes.upperBound + offset
        frame.out = frame.out.map { $0.lowerBound + offset..<$0.upperBound + offset }
        return frame
      }
    }
    return all
  }

  private static func capture(
    _ forwarder: Forwarder, _ change: (inout CaptureOptions) -> Void = { _ in }
  ) async throws -> any FrameCapture {
    var options = CaptureOptions()
    change(&options)
    return try await forwarder.capture(options) { _, _ in }.capture
  }

  @Test func beforeAndAfter() async throws {
    let forwarder = try await Self.forwarder()
    let capture = try await Self.capture(forwarder)
    for first in [1, 3, 0, 200] as [UInt8] { try await forwarder.inject(Self.frame(first)) }
    await forwarder.stop()
    let seen = await Self.all(capture)
    #expect(
      seen.frames.map { Array(seen.bytes[$0.bytes]) } == [1, 3, 0, 200].map { Self.frame($0) })
    #expect(
      seen.frames.map { $0.out.map { Array(seen.bytes[$0]) } }
        == [Self.frame(0), nil, nil, nil])
    // A port that the host has not is its own reason.
    #expect(
      seen.frames.map(\.verdict)
        == [.forward(9), .forward(9), .drop(.noService), .drop(.badPort)])
    #expect(seen.frames.allSatisfy { $0.port == 9 && $0.length == 60 && $0.outLength == 60 })
    #expect(seen.frames.allSatisfy { $0.enteredPipeline && !$0.isRefused })
    #expect(seen.missed == 0)
  }

  /// A batch has one time; what a reader sees has an order.
  @Test func timesAreInOrder() async throws {
    let forwarder = try await Self.forwarder()
    let capture = try await Self.capture(forwarder)
    for _ in 0..<300 { try await forwarder.inject(Self.frame(1)) }
    let now = forwarder.now
    await forwarder.stop()
    let times = await Self.all(capture).frames.map(\.time)
    #expect(times.count == 300)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    #expect(try #require(times.last) <= Timestamp(nanoseconds: now.nanoseconds + 300_000_000_000))
  }

  @Test func cutFrames() async throws {
    let forwarder = try await Self.forwarder()
    let short = try await Self.capture(forwarder) { $0.snapLength = 20 }
    let whole = try await Self.capture(forwarder)
    try await forwarder.inject(Self.frame(2, 1000))
    await forwarder.stop()
    let (cut, all) = (await Self.all(short), await Self.all(whole))
    #expect(cut.frames[0].bytes.count == 20 && cut.frames[0].out?.count == 20)
    #expect(cut.frames[0].length == 1000 && cut.frames[0].outLength == 1000)
    #expect(all.frames[0].bytes.count == 1000 && all.frames[0].out?.count == 1000)
  }

  @Test func onlyWhatIsAskedFor() async throws {
    let forwarder = try await Self.forwarder()
    let lost = try await Self.capture(forwarder) { $0.lostOnly = true }
    let reason = try await Self.capture(forwarder) {
      $0.lostOnly = true
      $0.reasons = [.badPort]
    }
    let port = try await Self.capture(forwarder) { $0.ports = [4] }
    let entering = try await Self.capture(forwarder) { $0.ports = [9] }
    // As it came in, or as it left.
    let filtered = try await Self.capture(forwarder) { $0.filter = { $0[0] == 4 } }
    let two = try await Self.capture(forwarder) { $0.count = 2 }
    for first in [4, 5, 0, 200, 6] as [UInt8] { try await forwarder.inject(Self.frame(first)) }
    await forwarder.stop()
    #expect(await Self.all(lost).frames.map(\.verdict) == [.drop(.noService), .drop(.badPort)])
    #expect(await Self.all(reason).frames.map(\.verdict) == [.drop(.badPort)])
    #expect(await Self.all(port).frames.isEmpty)
    #expect(await Self.all(entering).frames.count == 5)
    let seen = await Self.all(filtered)
    #expect(seen.frames.map { seen.bytes[$0.bytes.lowerBound] } == [4, 5])
    #expect(await Self.all(two).frames.count == 2)
  }

  /// A reader that does not read costs frames, which are counted, and no more memory than it may
  /// have.
  @Test func slowReader() async throws {
    let forwarder = try await Self.forwarder()
    let capture = try await Self.capture(forwarder) { $0.bufferSize = 20_000 }
    for _ in 0..<100 { try await forwarder.inject(Self.frame(1, 1000)) }
    // All of them are through: a job runs after what came before it.
    try await forwarder.withDataplane { _ in }
    try await forwarder.withDataplane { _ in }
    await forwarder.stop()
    let seen = await Self.all(capture)
    #expect(!seen.frames.isEmpty && seen.bytes.count <= 20_000)
    #expect(UInt64(seen.frames.count) + seen.missed == 100)
  }

  @Test func updatesComeBetweenFrames() async throws {
    let forwarder = try await Self.forwarder()
    let capture = try await Self.capture(forwarder) { $0.seesUpdates = true }
    let blind = try await Self.capture(forwarder)
    func settle() async throws {
      // Injected frames go through in the turn after they were taken.
      try await forwarder.withDataplane { _ in }
      try await forwarder.withDataplane { _ in }
    }
    try await forwarder.inject(Self.frame(1))
    try await settle()
    let update = Update.insert(K8sDP.routeVIP(IPv4Address(1)))
    try await forwarder.withDataplane(applying: [update]) { _ in }
    try await forwarder.inject(Self.frame(2))
    try await settle()
    // What is refused has not happened.
    await #expect(throws: DataplaneError.self) {
      try await forwarder.withDataplane(applying: [.delete(table: "nowhere", key: [])]) { _ in }
    }
    // Another pipeline ends those that follow the tables.
    try await forwarder.install { Lowering() }
    try await forwarder.inject(Self.frame(3))
    try await settle()
    await forwarder.stop()
    let seen = await Self.all(capture)
    #expect(seen.frames.count == 2 && seen.changes.map(\.updates) == [[update]])
    #expect(seen.frames[0].time < seen.changes[0].time)
    #expect(seen.changes[0].time < seen.frames[1].time)
    #expect(capture.lostPipeline)
    #expect(await Self.all(blind).frames.count == 3)
    #expect(!blind.lostPipeline)
  }

  @Test func closedAndCancelled() async throws {
    let forwarder = try await Self.forwarder()
    let closed = try await Self.capture(forwarder)
    try await forwarder.inject(Self.frame(1))
    try await forwarder.withDataplane { _ in }
    try await forwarder.withDataplane { _ in }
    closed.close()
    try await forwarder.inject(Self.frame(2))
    #expect(await closed.next()?.frames.count == 1)
    #expect(await closed.next() == nil)
    let waiting = try await Self.capture(forwarder)
    let task = Task { await waiting.next() == nil }
    task.cancel()
    #expect(await task.value)
    await forwarder.stop()
    await #expect(throws: DataplaneError.self) { try await Self.capture(forwarder) }
  }

  @Test func withoutPipeline() async throws {
    var options = Forwarder.Options()
    options.controllerPort = 9
    let forwarder = try Forwarder(options: options)
    let none = try await forwarder.capture(CaptureOptions()) { dataplane, _ in dataplane == nil }
    #expect(none.moment)
    await #expect(throws: DataplaneError.self) {
      try await forwarder.capture(CaptureOptions()) { _, _ in
        throw DataplaneError(.unavailable, "pipeline", "none")
      }
    }
    await forwarder.stop()
  }
}

/// The same with real programs in pods.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct LiveCaptureTests {
  /// Segments cross the pipeline with checksums that are not made yet: a reader gets them made,
  /// as they would be on a wire, before and after translation.
  @Test(arguments: LiveNode.engines) func checksumsAreWhole(_ engine: String) async throws {
    let node = try await LiveNode(engine)
    let server = try await Transfer.serve(in: node.server, port: 8080)
    var options = CaptureOptions()
    options.bufferSize = 256 << 20
    let capture = try await node.forwarder.capture(options) { _, _ in }.capture
    _ = try await Transfer.send(4 << 20, from: node.client, to: LiveNode.vip, port: 80)
    capture.close()
    var frames = 0
    var large = 0
    while let batch = await capture.next() {
      #expect(batch.missed == 0)
      for frame in batch.frames {
        frames += 1
        if frame.length > 1514 { large += 1 }
        let before = Array(batch.bytes[frame.bytes])
        #expect(ChecksumVerifier.problems(in: before).isEmpty, "\(PacketSummary.line(before))")
        guard case .forward = frame.verdict else { continue }
        let out = try #require(frame.out.map { Array(batch.bytes[$0]) })
        #expect(ChecksumVerifier.problems(in: out).isEmpty, "\(PacketSummary.line(out))")
        #expect(before != out && before.count == out.count)
      }
    }
    #expect(frames > 10 && large > 0, "\(frames) frames, \(large) of them segments")
    withExtendedLifetime(server) {}
    try await node.stop()
  }

  /// What the interface does not take is seen, and so is what never reaches a pipeline.
  @Test func refusedFrames() async throws {
    let node = try await LiveNode("model")
    var options = CaptureOptions()
    options.lostOnly = true
    let capture = try await node.forwarder.capture(options) { _, _ in }.capture
    try await node.server.exec("ip", "link", "set", "eth0", "down")
    let ping = ["ping", "-q", "-c", "1", "-W", "1", "10.244.0.7"]
    _ = try await Command.run(node.client.namespace.command(ping))
    await node.forwarder.uninstall()
    _ = try await Command.run(node.client.namespace.command(ping))
    capture.close()
    var seen: [CaptureBatch.Frame] = []
    while let batch = await capture.next() { seen += batch.frames }
    #expect(seen.map(\.verdict) == [.forward(3), .drop(.noPipeline)])
    #expect(seen.map(\.isRefused) == [true, false])
    #expect(seen.map(\.enteredPipeline) == [true, false])
    try await node.stop()
  }
}
