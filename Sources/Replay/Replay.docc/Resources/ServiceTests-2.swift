import Core
import Foundation
import Replay
import SimDataplane
import Testing

@Suite struct ServiceTests {
  private let model = SimDataplane()
  private let client = PacketBuilder(
    from: MACAddress(0x02_00_00_00_02_06), to: MACAddress(0x02_00_00_00_00_01))

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let state = try StateFile(contentsOf: folder.path + "/web.yaml")
    try LoadedDataplane(k8sDP: model).setIntent(state.intent)
  }

  /// What becomes of a SYN from the client.
  private func connect(from port: UInt16, to service: UInt16) throws -> (Verdict, String) {
    let from = try #require(IPv4Address("10.244.0.6"))
    let to = try #require(IPv4Address("10.96.0.80"))
    var frame = client.tcp(.init(from: from, to: to), .init(from: port, to: service, flags: .syn))
    let verdict = model.process(&frame, port: 2, at: .zero)
    return (verdict, PacketSummary.line(frame))
  }

  @Test func aConnectionReachesAnEndpoint() throws {
    let (verdict, packet) = try connect(from: 40_000, to: 80)
    #expect(verdict == .forward(3) || verdict == .forward(4))
    #expect(packet.contains(":8080 [SYN]"), "\(packet)")
  }
}
