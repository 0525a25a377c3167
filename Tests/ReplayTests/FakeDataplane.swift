import Core

@testable import Replay

/// A dataplane that sends every frame to the next port, lowers byte 22, drops
/// multicast, and learns one entry a frame. It can be told to be wrong.
final class FakeDataplane: TracingDataplane {
  enum Fault: Hashable, Sendable {
    case flip(frame: Int, byte: Int)
    case drop(frame: Int)
    case counter(frame: Int)
    case entry(frame: Int)
  }

  let name: String
  let contract = Contract(actions: [:], tables: [], learners: [], selectors: [])
  let clock: EngineClock
  let fault: Fault?
  private(set) var times: [Timestamp] = []
  private(set) var ports: [PortID] = []
  private(set) var intents: [Intent] = []
  private(set) var timers: [Int: UInt32] = [:]
  private var learned: [LearnedEntry] = []
  private var totals = Counters()

  init(name: String = "fake", clock: EngineClock = .model, fault: Fault? = nil) {
    self.name = name
    self.clock = clock
    self.fault = fault
  }

  var loaded: LoadedDataplane {
    LoadedDataplane(self) { (intent) throws(DataplaneError) in
      guard intent.pods.allSatisfy({ $0.port < 1000 }) else {
        throw DataplaneError(.outOfRange, "route", "port is too high; use a lower one")
      }
      self.intents.append(intent)
    }
  }

  func apply(_ updates: [Update]) throws(DataplaneError) {}
  func entries(of table: String) throws(DataplaneError) -> [TableEntry] { [] }
  func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
    timers[profile] = seconds
  }

  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    times.append(time)
    ports.append(port)
    let number = times.count
    if frame.count < 14 { return drop(.truncated) }
    if frame[0] & 1 == 1 { return drop(.multicast) }
    if fault == .drop(frame: number) { return drop(.noFlow) }
    if frame.count > 22 { frame[22] &-= 1 }
    if case .flip(number, let byte) = fault { frame[byte] ^= 0xFF }
    totals.forwarded[port + 1, default: 0] += fault == .counter(frame: number) ? 2 : 1
    let timer: UInt8 = fault == .entry(frame: number) ? 7 : 0
    learned.append(
      LearnedEntry(
        table: "flow", key: [UInt64(number)], action: "pin", arguments: [UInt64(port)],
        timer: timer, expiry: 1 << 34))
    return .forward(port + 1)
  }

  private func drop(_ reason: DropReason) -> Verdict {
    totals.dropped[reason, default: 0] += 1
    return .drop(reason)
  }

  func process(_ batch: borrowing FrameBatch, at time: Timestamp) {}
  func learnedEntries(at time: Timestamp) -> [LearnedEntry] { learned.sorted() }
  func counters() -> Counters { totals }

  func trace(_ frame: inout [UInt8], port: PortID, at time: Timestamp, names: NameBook)
    -> FrameTrace
  {
    let verdict = process(&frame, port: port, at: time)
    let known = names.services.values.sorted().joined(separator: ",")
    let steps = [
      TraceStep(table: "flow", outcome: .miss, text: "no flow <yet>"),
      TraceStep(table: "service", outcome: .hit, action: "pin", text: "services \(known)"),
    ]
    return FrameTrace(verdict: verdict, explanation: "a frame <x>", steps: steps)
  }
}

/// The same faults, but without traces.
final class QuietDataplane: Dataplane {
  private let inner: FakeDataplane
  init(_ inner: FakeDataplane) { self.inner = inner }
  var name: String { inner.name }
  var contract: Contract { inner.contract }
  var clock: EngineClock { inner.clock }
  func apply(_ updates: [Update]) throws(DataplaneError) {}
  func entries(of table: String) throws(DataplaneError) -> [TableEntry] { [] }
  func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {}
  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    inner.process(&frame, port: port, at: time)
  }
  func process(_ batch: borrowing FrameBatch, at time: Timestamp) {}
  func learnedEntries(at time: Timestamp) -> [LearnedEntry] { inner.learnedEntries(at: time) }
  func counters() -> Counters { inner.counters() }
}
