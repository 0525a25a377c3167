import Core

/// Frames that a dataplane saw.
final class FrameRecorder: Sendable {
  let frames: AsyncStream<[UInt8]>
  private let feed: AsyncStream<[UInt8]>.Continuation
  init() { (frames, feed) = AsyncStream.makeStream() }
  func saw(_ frame: [UInt8]) { feed.yield(frame) }
}

/// Records each frame, and answers with a fixed verdict.
final class RecordingDataplane: Dataplane {
  let name = "recording"
  let contract = K8sDP.contract
  let clock = EngineClock.model
  private let recorder: FrameRecorder
  private let verdict: Verdict

  init(_ recorder: FrameRecorder, verdict: Verdict = .drop(.pipeline)) {
    self.recorder = recorder
    self.verdict = verdict
  }

  func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
    for i in 0..<batch.count {
      recorder.saw([UInt8](batch.bytes(i)))
      batch.verdicts[i] = verdict.encoded
    }
  }
  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict { verdict }
  func apply(_ updates: [Update]) throws(DataplaneError) {}
  func entries(of table: String) throws(DataplaneError) -> [TableEntry] { [] }
  func setTimer(_ profile: Int, seconds: UInt32) {}
  func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }
  func counters() -> Counters { Counters() }
  func registers(_ name: String) throws(DataplaneError) -> [UInt64] { [] }
  func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {}
}
