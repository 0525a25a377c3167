import Core
import Foundation
import SimDataplane
import Testing

@testable import Replay

/// Faults that both sides share, so that only what must be true of any dataplane finds
/// them.
@Suite struct FuzzInvariantTests {
  enum Fault: String, CaseIterable, CustomTestStringConvertible {
    case keepsRemovedEndpoints
    case forgetsFlows
    case sharesTuples
    case usesDrainedEndpoints

    var testDescription: String { rawValue }

    /// The rules that it breaks.
    var findings: [String] {
      switch self {
      case .keepsRemovedEndpoints: ["a flow goes to an endpoint that was removed"]
      case .forgetsFlows: ["a packet of an established flow was dropped: no_flow"]
      case .sharesTuples: ["two flows of one client look the same to one endpoint"]
      case .usesDrainedEndpoints:
        [
          "a new flow goes to an endpoint that takes none",
          "the slots of a Service are not those of its endpoints",
        ]
      }
    }
  }

  /// The model with one fault.
  final class Faulty: Dataplane {
    private let inner: SimDataplane
    private let fault: Fault
    private var requests = 0

    init(_ inner: SimDataplane, _ fault: Fault) {
      self.inner = inner
      self.fault = fault
    }

    let name = "faulty"
    var contract: Contract { inner.contract }
    var clock: EngineClock { inner.clock }

    func apply(_ updates: [Update]) throws(DataplaneError) {
      try inner.apply(updates.filter { !isLost($0) })
    }

    private func isLost(_ update: Update) -> Bool {
      switch (fault, update) {
      case (.keepsRemovedEndpoints, .delete(let table, _)): table == "endpoints"
      case (.keepsRemovedEndpoints, .modify(let entry)):
        entry.table == "endpoints" && entry.action == "endpoint_drain"
      case (.usesDrainedEndpoints, .modify(let entry)):
        entry.table == "endpoints" || entry.table == "slots"
      default: false
      }
    }

    func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
      try inner.entries(of: table)
    }

    func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
      try inner.setTimer(profile, seconds: seconds)
    }

    func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
      let before = frame
      let verdict = inner.process(&frame, port: port, at: time)
      if fault == .forgetsFlows,
        let request = FuzzRequest(before: before, after: frame, verdict: verdict),
        request.endpoint != nil, let flags = request.flags, !flags.contains(.syn)
      {
        requests += 1
        if requests.isMultiple(of: 20) { return .drop(.noFlow) }
      }
      return verdict
    }

    func process(_ batch: borrowing FrameBatch, at time: Timestamp) {}

    func learnedEntries(at time: Timestamp) -> [LearnedEntry] {
      var entries = inner.learnedEntries(at: time)
      if fault == .sharesTuples,
        var copy = entries.first(where: { FuzzPin($0)?.isEstablished == false })
      {
        copy.key[3] ^= 1
        entries.append(copy)
      }
      return entries
    }

    func counters() -> Counters { inner.counters() }
  }

  private func fuzzer(_ fault: Fault, folder: String? = nil) -> Fuzzer {
    var fuzzer = Fuzzer(seed: 1, frames: 60_000, left: "one", right: "two", folder: folder)
    fuzzer.factory = { episode in
      DataplaneFactory(
        recipes: ["one", "two"].map { name in
          DataplaneFactory.Recipe(name: name) { (_) throws(ReplayError) in
            var options = SimDataplane.Options()
            options.sizes = episode.sizes
            return LoadedDataplane(k8sDP: Faulty(SimDataplane(options: options), fault))
          }
        })
    }
    return fuzzer
  }

  /// It is found by the rule that it breaks, and cut down to what shows it.
  @Test(arguments: Fault.allCases) func becomesAFixture(_ fault: Fault) throws {
    let scratch = try Scratch()
    let failure = try #require(try fuzzer(fault, folder: scratch.path).run().failure)
    #expect(fault.findings.map { "both: " + $0 }.contains(failure.what))
    #expect(failure.steps < 100)
    #expect(failure.fixture != nil)
  }

  // MARK: Spread and choices

  private static let service = FuzzFlow.Service(transport: 6, end: 0x0A60_0001 << 16 | 80)

  private func node(_ weights: [UInt32]) -> FuzzNode {
    var intent = Intent()
    intent.services = [
      Intent.Service(
        name: "web", clusterIP: IPv4Address(0x0A60_0001),
        ports: [
          Intent.ServicePort(
            transport: .tcp, port: 80,
            endpoints: weights.enumerated().map { i, weight in
              Intent.Endpoint(address: IPv4Address(UInt32(i + 1)), port: 80, weight: weight)
            })
        ])
    ]
    return FuzzNode(intent)
  }

  private func request(_ client: Int, to endpoint: Int) throws -> FuzzRequest {
    let ether = PacketBuilder(from: MACAddress(1), to: MACAddress(2))
    func syn(_ to: IPv4Address) -> [UInt8] {
      ether.tcp(
        PacketBuilder.IPv4(from: IPv4Address(UInt32(0x0AF4_0000 + client)), to: to),
        PacketBuilder.TCP(from: 40000, to: 80, flags: .syn))
    }
    return try #require(
      FuzzRequest(
        before: syn(IPv4Address(0x0A60_0001)), after: syn(IPv4Address(UInt32(endpoint))),
        verdict: .forward(1)))
  }

  /// Flows of equal weight: 500 ± 118 of 1,000 may go to one of two.
  @Test(arguments: [(500, true), (600, true), (640, false), (350, false)])
  func spreadOfFlows(_ first: Int, isFine: Bool) throws {
    var spread = FuzzSpread()
    let node = node([1, 1])
    spread.change(to: node)
    for client in 0..<1000 {
      spread.note(try request(client, to: client < first ? 1 : 2), isNew: true)
      // Seen twice is counted once.
      spread.note(try request(client, to: 1), isNew: true)
    }
    #expect((spread.finish(node, services: [], slots: []) == nil) == isFine)
  }

  @Test func spreadOfSlots() {
    let node = node([1, 3])
    func finding(_ owners: [UInt32]) -> String? {
      let row = TableEntry(
        table: "services", key: [0x0A60_0001, 80, 6], action: "service_select",
        arguments: [9, UInt64(owners.count - 1)])
      let slots = (0..<UInt32(owners.count / 4)).map { row in
        K8sDP.slots(
          service: 9, row: row,
          owners[Int(row) * 4..<Int(row) * 4 + 4].map { K8sDP.Slot(endpoint: $0, epoch: 0) })
      }
      return FuzzSpread().finish(node, services: [row], slots: slots)
    }
    #expect(finding([1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]) == nil)
    #expect(finding([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]) != nil)
    #expect(finding([UInt32](repeating: 2, count: 16)) != nil)
  }

  @Test func choicesThatHold() throws {
    let old = node([1, 1, 1])
    let new = node([1, 1])
    func after(_ endpoint: Int, before: Int, refolded: Bool = false) throws -> String? {
      var choices = FuzzChoices()
      choices.change(from: FuzzNode(Intent()), to: old, refolded: [])
      #expect(choices.check(try request(7, to: before), isNew: true) == nil)
      choices.change(from: old, to: new, refolded: refolded ? [Self.service] : [])
      return choices.check(try request(7, to: endpoint), isNew: true)
    }
    #expect(try after(1, before: 1) == nil)
    #expect(try after(2, before: 1) != nil)
    // It was at the one that left, or slots were folded.
    #expect(try after(2, before: 3) == nil)
    #expect(try after(2, before: 1, refolded: true) == nil)
  }
}
