import Core
import Hosting
import P4RuntimeService
import Testing

@testable import infrap4d

/// What makes a node green, amber or red, in words.
@Suite struct NodeHealthTests {
  private static func node(
    dropped: [DropReason: UInt64] = [:], learnFailures: UInt64 = 0, slots: Int = 0,
    streams: Int = 1,
    refused: UInt64 = 0, isHostUp: Bool = true,
    location: InterfaceLocation? = .init(
      name: "eth0", namespace: 1)
  ) -> NodeSnapshot {
    var counters = Counters()
    counters.dropped = dropped
    counters.learners[K8sDP.flowsTable] = Counters.Learner()
    counters.learners[K8sDP.flowsTable]?.learnFailed = learnFailures
    var control = ControlActivity()
    control.streams = streams
    var portCounters = PortCounters()
    portCounters.refused = refused
    func port(_ id: PortID, _ name: String, isUp: Bool, _ at: InterfaceLocation?) -> PortStatus {
      PortStatus(
        id: id, description: PortDescription(name: name, kind: .tap), interfaceIndex: 1,
        isUp: isUp, macAddress: nil, counters: portCounters, location: at)
    }
    return NodeSnapshot(
      ports: [
        port(0, "P4TAP_0", isUp: false, location),
        port(1, "P4TAP_1", isUp: isHostUp, .init(name: "P4TAP_1", namespace: 1)),
      ],
      pipeline: .init(contract: K8sDP.contract, counters: counters, entries: ["slots": slots]),
      flows: FlowCensus(), control: control)
  }

  private static let size = K8sDP.Table.slots.size

  @Test(
    arguments: [
      (node(), .green, ["frames are forwarded, and a controller is connected"]),
      // Spare TAPs are down, and what pods must not reach is no trouble.
      (
        node(dropped: [.noService: 9, .multicast: 9]), .green,
        ["frames are forwarded, and a controller is connected"]
      ),
      (
        node(streams: 0), .amber,
        ["no controller is connected: frames are forwarded, and nothing changes"]
      ),
      (node(slots: size * 95 / 100), .amber, ["table slots is 94 % full"]),
      (node(slots: size), .red, ["table slots is 100 % full"]),
      (
        node(dropped: [.flowTableFull: 1]), .red,
        ["the flow table is full: 1 frame of new connections lost"]
      ),
      (node(learnFailures: 3), .amber, ["3 flows found no room"]),
      (node(refused: 2), .amber, ["4 frames not taken by interfaces"]),
      (
        node(dropped: [.noEndpoint: 7]), .amber,
        ["a Service without endpoints is called: 7 frames dropped"]
      ),
      (
        node(dropped: [.truncated: 2, .badLength: 3]), .amber,
        ["5 frames unfit to be forwarded"]
      ),
      (node(isHostUp: false), .amber, ["the host's interface P4TAP_1 is down"]),
      (node(location: nil), .amber, ["the interface of port P4TAP_0 is gone"]),
      // The worst first.
      (
        node(dropped: [.flowTableFull: 2], streams: 0), .red,
        [
          "the flow table is full: 2 frames of new connections lost",
          "no controller is connected: frames are forwarded, and nothing changes",
        ]
      ),
    ] as [(NodeSnapshot, NodeHealth.Level, [String])])
  func reasons(_ node: NodeSnapshot, _ level: NodeHealth.Level, _ reasons: [String]) {
    let health = NodeHealth(node, since: .init())
    #expect(health.level == level)
    #expect(health.reasons == reasons)
  }

  /// An agent that is dead, or without its manager, is no green node; one that nobody asked of
  /// is no trouble.
  @Test(
    arguments: [
      (.notAsked, []), (.neverSeen, []), (.well, []),
      (
        .unwell(["manager", "services"]),
        ["infraagent can connect no pods: not met: manager, services"]
      ),
      (
        .silent("127.0.0.1:50096"),
        ["infraagent does not answer at 127.0.0.1:50096: no pod can be connected"]
      ),
    ] as [(AgentWatch.Standing, [String])])
  func agents(_ agent: AgentWatch.Standing, _ reasons: [String]) {
    let health = NodeHealth(Self.node(), since: .init(), agent: agent)
    #expect(health.level == (reasons.isEmpty ? .green : .amber))
    if !reasons.isEmpty { #expect(health.reasons == reasons) }
  }

  @Test func withoutPipeline() {
    var node = Self.node(streams: 0)
    node.pipeline = nil
    let health = NodeHealth(node, since: .init())
    #expect(health.level == .red)
    #expect(
      health.reasons == [
        "no pipeline is installed: every frame is dropped",
        "no controller is connected, which would push one",
      ])
  }

  /// What was long ago is no trouble now, and another pipeline counts from 0.
  @Test func onlyWhatGrew() {
    let node = Self.node(dropped: [.flowTableFull: 5], learnFailures: 5, refused: 1)
    #expect(NodeHealth(node, since: node.troubles).level == .green)
    let before = NodeHealth.Troubles(dropped: [.flowTableFull: 900], learnFailures: 900, refused: 9)
    #expect(
      NodeHealth(node, since: before).reasons
        == ["the flow table is full: 5 frames of new connections lost"])
  }
}
