import Core
import Foundation
import Testing

@testable import Replay

/// Lets one fault of the model after the other happen and looks for it: a fuzz run, then
/// every fixture, both against DPDK, which has no fault.
@Suite struct ModelFaultWorker {
  /// DPDK, with all of this package that it uses as it was written.
  final class Faultless: Dataplane {
    let inner: any Dataplane
    init(_ inner: any Dataplane) { self.inner = inner }
    private func faultless<Result>(_ body: () -> Result) -> Result {
      let fault = currentFault()
      selectFault(0)
      defer { selectFault(fault) }
      return body()
    }
    private func faultless<Result>(_ body: () throws(DataplaneError) -> Result)
      throws(DataplaneError) -> Result
    {
      let fault = currentFault()
      selectFault(0)
      defer { selectFault(fault) }
      return try body()
    }
    let name = "dpdk"
    var contract: Contract { inner.contract }
    var clock: EngineClock { inner.clock }
    func apply(_ updates: [Update]) throws(DataplaneError) {
      try faultless { () throws(DataplaneError) in try inner.apply(updates) }
    }
    func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
      try faultless { () throws(DataplaneError) in try inner.entries(of: table) }
    }
    func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
      try faultless { () throws(DataplaneError) in
        try inner.setTimer(profile, seconds: seconds)
      }
    }
    func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      faultless { inner.process(&frame, port: port, at: time) }
    }
    func process(_ batch: borrowing FrameBatch, at time: Timestamp) {
      let fault = currentFault()
      selectFault(0)
      inner.process(batch, at: time)
      selectFault(fault)
    }
    func learnedEntries(at time: Timestamp) -> [LearnedEntry] {
      faultless { inner.learnedEntries(at: time) }
    }
    func counters() -> Counters { faultless { inner.counters() } }
    func registers(_ name: String) throws(DataplaneError) -> [UInt64] {
      try faultless { () throws(DataplaneError) in try inner.registers(name) }
    }
    func setRegister(_ name: String, _ index: Int, to value: UInt64) throws(DataplaneError) {
      try faultless { () throws(DataplaneError) in
        try inner.setRegister(name, index, to: value)
      }
    }
  }

  static func factory(sizes: [String: Int], ports: Int, staleByte: UInt8?) -> DataplaneFactory {
    var factory = DataplaneFactory.k8sDP(sizes: sizes, ports: ports, staleByte: staleByte)
    guard let dpdk = factory.recipes.firstIndex(where: { $0.name == "dpdk" }) else {
      return factory
    }
    let make = factory.recipes[dpdk].make
    factory.recipes[dpdk].make = { (clock) throws(ReplayError) in
      let fault = currentFault()
      selectFault(0)
      defer { selectFault(fault) }
      return LoadedDataplane(k8sDP: Faultless(try make(clock).dataplane))
    }
    return factory
  }

  @Test func faults() throws {
    let environment = ProcessInfo.processInfo.environment
    let frames = Int(environment["K8SDP_FAULT_FRAMES"] ?? "") ?? 30_000
    let seed = UInt64(environment["K8SDP_FAULT_SEED"] ?? "") ?? 1
    let log = try #require(FileHandle(forWritingAtPath: environment["K8SDP_FAULT_LOG"] ?? ""))
    log.seekToEndOfFile()
    try #require(!Fixture.all.isEmpty)
    for word in (environment["K8SDP_FAULTS"] ?? "").split(separator: ",") {
      let number = try #require(Int(word))
      log.write(Data("\(number) ".utf8))
      // A fault may run for ever; this ends the process, and so the fault is found.
      limit(seconds: 10)
      selectFault(number)
      let outcome = outcome(seed: seed, frames: frames)
      selectFault(0)
      limit(seconds: 0)
      log.write(Data("\(outcome)\n".utf8))
    }
  }

  /// Of processor time, so that a busy machine finds no faults; 0 is no limit.
  private func limit(seconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    setitimer(Int32(ITIMER_PROF.rawValue), &timer, nil)
  }

  private func outcome(seed: UInt64, frames: Int) -> String {
    do {
      var fuzzer = Fuzzer(seed: seed, frames: frames)
      fuzzer.minimises = false
      fuzzer.factory = {
        Self.factory(sizes: $0.sizes, ports: 16, staleByte: $0.staleByte)
      }
      if try fuzzer.run().failure != nil { return "fuzz" }
      let factory = Self.factory(sizes: FixtureFolder.sizes, ports: 1024, staleByte: 0)
      for fixture in Fixture.all {
        var expected: [PortID: [[UInt8]]] = [:]
        for capture in fixture.captures("expect") {
          expected[capture.port] = try Fixture.frames(capture)
        }
        guard try fixture.forwarded(by: factory.make("model")) == expected else {
          return "fixture"
        }
        let pair = try factory.makePair("model", "dpdk")
        let comparison = try Comparer(run: fixture.run(), everyFrame: true)
          .compare(pair.left, pair.right)
        guard comparison.isEqual else { return "fixture" }
      }
      return "none"
    } catch { return "error" }
  }
}
