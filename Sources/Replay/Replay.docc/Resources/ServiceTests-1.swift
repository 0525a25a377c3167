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
}
