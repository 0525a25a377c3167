import Foundation
import Testing

@testable import Replay

/// Runs the built `k8sdp`.
@Suite struct CommandTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  struct Result {
    var code: Int32
    var out: String
    var error: String
  }

  /// The folder of build products: this test is linked into a bundle in it.
  private var program: URL {
    let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
    let folder = bundle?.deletingLastPathComponent() ?? Bundle.main.bundleURL
    return folder.appendingPathComponent("k8sdp")
  }

  func k8sdp(_ arguments: String...) throws -> Result {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    let (out, error) = ("\(scratch.path)/.out", "\(scratch.path)/.err")
    for path in [out, error] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardOutput = FileHandle(forWritingAtPath: out)
    process.standardError = FileHandle(forWritingAtPath: error)
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus,
      out: String(decoding: try scratch.read(".out"), as: UTF8.self),
      error: String(decoding: try scratch.read(".err"), as: UTF8.self))
  }

  @Test func goodStatesAreListedAndBadOnesExitWithTwo() throws {
    _ = try scratch.write("s.yaml", Array(StateFileTests.example.utf8))
    let good = try k8sdp("check", "s.yaml")
    #expect(good.code == 0)
    #expect(good.error.isEmpty)
    #expect(good.out.contains("→ 10.244.0.7:8080  web-1"))
    let json = try k8sdp("check", "s.yaml", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any]
    #expect((object?["pods"] as? [Any])?.count == 2)

    let text = StateFileTests.example.replacing("port: 3}", with: "port: x}")
    _ = try scratch.write("bad.yaml", Array(text.utf8))
    let bad = try k8sdp("check", "bad.yaml")
    #expect(bad.code == 2)
    #expect(bad.out.isEmpty)
    #expect(
      bad.error == "k8sdp: bad.yaml:6:68: port of a pod is a whole number, not \"x\"\n")
  }

  @Test func badArgumentsExitWithTwo() throws {
    #expect(try k8sdp("check").code == 2)
    #expect(try k8sdp("nonsense").code == 2)
    #expect(try k8sdp("check", "nowhere.yaml").code == 2)
    #expect(try k8sdp("replay", "--state", "s.yaml", "--out", "o").code == 2)
    #expect(try k8sdp("trace", "--state", "s.yaml", "--in", "x").code == 2)
    #expect(try k8sdp("trace", "--state", "s.yaml", "--in", "1=x", "--frame", "0").code == 2)
    let state = try scratch.write("s.yaml", Array(StateFileTests.example.utf8))
    let other = try k8sdp("trace", "--state", state, "--in", "2=x", "--dataplane", "tofino")
    #expect(other.code == 2)
    #expect(other.error.contains("take model or dpdk"))
  }

  @Test func differencesRefusesWhatIsNotUpstreams() throws {
    let docs = DifferenceTests.docs
    #expect(try k8sdp("differences").code == 2)
    let missing = try k8sdp("differences", "--upstream", "nowhere.pb.bin")
    #expect(missing.code == 2)
    #expect(missing.error.contains("nowhere.pb.bin: cannot be read"))
    let ours = Fixture.root.deletingLastPathComponent().appendingPathComponent(
      "k8s_dp/k8s_dp.pb.bin"
    ).path
    let other = try k8sdp(
      "differences", "--upstream", ours, "--fixture", Fixture.root.path + "/ttl")
    #expect(other.code == 2)
    #expect(other.error.contains("is not upstream's pipeline"))
    let unknown = try k8sdp(
      "differences", "--upstream", ours, "--id", "x", "--catalogue", docs + "/differences.yaml")
    #expect(unknown.code == 2)
    #expect(unknown.error.contains("--id x: is not in the catalogue"))
  }

  #if DPDK
    @Test(
      .enabled(
        if: DifferenceTests.upstreamFile != nil,
        "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"))
    func differencesSaysByItsExitWhatItFound() throws {
      let upstream = try #require(DifferenceTests.upstreamFile)
      let one = try k8sdp(
        "differences", "--upstream", upstream, "--id", "ttl", "--catalogue",
        DifferenceTests.docs + "/differences.yaml", "--fixtures", Fixture.root.path)
      #expect(one.code == 0)
      #expect(one.out.contains("⇒ port 3"))
      let frames = try k8sdp(
        "differences", "--upstream", upstream, "--fixture", Fixture.root.path + "/arp-requests")
      #expect(frames.code == 0)
      #expect(frames.out.contains("0 of 25 frames differ."))
      let differ = try k8sdp(
        "differences", "--upstream", upstream, "--fixture", Fixture.root.path + "/ttl", "--json")
      #expect(differ.code == 1)
      let list = try JSONSerialization.jsonObject(with: Data(differ.out.utf8)) as? [[String: Any]]
      #expect(list?.count == 38)
    }
  #endif

  @Test func helpAndVersionExitWithZero() throws {
    #expect(try k8sdp("--version").out == "0.1.0\n")
    for command in ["replay", "compare", "trace", "check", "differences"] {
      let help = try k8sdp(command, "--help")
      #expect(help.code == 0)
      #expect(help.out.contains("--json"))
      #expect(help.out.contains("k8sdp \(command)"))
    }
  }
}
