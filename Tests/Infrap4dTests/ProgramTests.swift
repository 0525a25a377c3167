import Core
import Foundation
import NodeTesting
import Testing

/// What all programs have in common: they say which release they are of, and end well.
@Suite struct ProgramTests {
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

  /// An error that cannot be said, because the disk is full where it goes or nobody reads it, ends
  /// nothing in another way than one that can.
  @Test(arguments: ["infrap4d", "inframanager", "infraagent", "arp-proxy", "gnmi-ctl", "k8sdp"])
  func errorWithoutAReader(_ program: String) async throws {
    let folder = URL(fileURLWithPath: ServerProcess.program).deletingLastPathComponent()
    let path = folder.appendingPathComponent(program).path
    let said = try await Command.run([path, "--no-such-option"])
    let unsaid = try await Command.run(["sh", "-c", "\(path) --no-such-option 2>/dev/full"])
    #expect(said.status > 0 && said.status < 128, "\(said)")
    #expect(unsaid.status == said.status)
  }
}
