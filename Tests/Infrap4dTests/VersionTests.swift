import Core
import Foundation
import NodeTesting
import Testing

/// Every program says which release it is of.
@Suite struct VersionTests {
  @Test(arguments: [
    "infrap4d", "inframanager", "infraagent", "arp-proxy", "felix-api-proxy", "infra-cni",
    "gnmi-ctl", "k8sdp",
  ])
  func version(_ program: String) async throws {
    let folder = URL(fileURLWithPath: ServerProcess.program).deletingLastPathComponent()
    let outcome = try await Command.run([
      folder.appendingPathComponent(program).path, "--version",
    ])
    #expect(outcome.status == 0 && outcome.output == Release.version + "\n", "\(outcome)")
  }
}
