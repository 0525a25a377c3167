import Core
import Foundation
import Replay
import SimDataplane
import Testing

/// The router and the model see the same frames.
@Suite struct RouterTests {
  private static let fixtures: String = {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path + "/Fixtures") {
      folder.deleteLastPathComponent()
    }
    return folder.path + "/Fixtures"
  }()

  @Test(arguments: [
    "ping-pod", "ping-host", "ping-options", "curl-direct", "traceroute-icmp",
  ])
  func agreesWithTheModel(_ fixture: String) throws {
    let run = try FixtureFolder(path: "\(Self.fixtures)/\(fixture)").run()
    let (router, model) = (Router(), SimDataplane())
    let both = [LoadedDataplane(k8sDP: router), LoadedDataplane(k8sDP: model)]
    let outcome = try run.run(both) { frame, _ in
      var (ours, theirs) = (frame.bytes, frame.bytes)
      let verdict = router.process(&ours, port: frame.port, at: frame.time)
      #expect(verdict == model.process(&theirs, port: frame.port, at: frame.time))
      #expect(ours == theirs, "frame \(frame.number)")
      return true
    }
    #expect(outcome.frames > 0)
    #expect(router.counters().forwarded == model.counters().forwarded)
    #expect(try router.entries(of: "routes") == model.entries(of: "routes"))
  }
}
