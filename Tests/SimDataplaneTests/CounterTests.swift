import Core
import Testing

@testable import SimDataplane

/// Actions that never ran, ports and reasons without a frame are left out.
@Suite struct CounterTests {
  @Test func nothingHappened() throws {
    let counters = try Node().plane.counters()
    #expect(counters.tables.values.allSatisfy { $0 == Counters.Table() })
    #expect(counters.learners.values.allSatisfy { $0 == Counters.Learner() })
    #expect(counters.tables.count == 5)
    #expect(counters.learners.count == 2)
    #expect(counters.dropped.isEmpty)
    #expect(counters.droppedByPipeline.isEmpty)
    #expect(counters.forwarded.isEmpty)
  }

  @Test func oneFrame() throws {
    let node = try Node(pods: [7])
    node.tcp(.client(), .pod(7, 80), .ack)
    let counters = node.plane.counters()
    #expect(counters.learners["flows"]?.actions == ["flow_miss": 1])
    #expect(counters.tables["routes"]?.actions == ["route_hop": 1])
    #expect(counters.tables["endpoints"]?.actions == [:])
    #expect(counters.forwarded == [7: 1])
  }

  @Test func longerThanAnyFrame() throws {
    let node = try Node()
    let frame = [UInt8](repeating: 0, count: FrameBatch.longestFrame + 1)
    #expect(node.send(frame).verdict == .drop(.oversized))
    #expect(node.plane.counters().dropped == [.oversized: 1])
    #expect(node.plane.counters().droppedByPipeline.isEmpty)
  }
}
