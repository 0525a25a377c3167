import Foundation
import Replay
import Testing

@testable import LiveReplay

/// What is not sent through upstream's server, since it would tell of the host and not of k8s_dp.
@Suite struct UpstreamRefusalTests {
  private static func refusals(_ fixture: String, port: Int) throws -> [String: Int] {
    let reader = try CaptureReader(
      path: "\(FixtureTableTests.fixtures)/\(fixture)/in-port-\(port).pcap")
    var counts: [String: Int] = [:]
    while let frame = try reader.next() {
      if let reason = UpstreamWire.refusal(frame.bytes) { counts[reason, default: 0] += 1 }
    }
    return counts
  }

  @Test func framesThatContradictTheirLengths() throws {
    let counts = try Self.refusals("tcp-bad-data-offset", port: 2)
    #expect(counts == ["bad_length, for which upstream's server does not look": 30])
  }

  @Test func framesOfPrograms() throws {
    #expect(try Self.refusals("curl-service", port: 2) == [:])
  }
}
