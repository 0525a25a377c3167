import ChildProcess
import Core
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

  func k8sdp(_ arguments: String...) throws -> Result { try k8sdp(arguments) }

  func k8sdp(_ arguments: [String]) throws -> Result {
    let files = try ["out", "err"].map { name in
      let file = URL(fileURLWithPath: "\(scratch.path)/.\(name)")
      try Data().write(to: file)
      return try FileHandle(forWritingTo: file)
    }
    let process = try ChildProcess(
      program.path, arguments, folder: scratch.path,
      output: .descriptor(files[0].fileDescriptor), error: .descriptor(files[1].fileDescriptor))
    return Result(
      code: process.wait().status,
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
    #expect(try k8sdp("replay", "--in", "2=x", "--out", "o").code == 2)
    let both = try k8sdp("replay", "--snapshot", "d", "--state", "s.yaml", "--out", "o")
    #expect(both.code == 2 && both.error.contains("--snapshot has its own state file"))
    #expect(try k8sdp("trace", "--state", "s.yaml", "--in", "x").code == 2)
    #expect(try k8sdp("trace", "--state", "s.yaml", "--in", "1=x", "--frame", "0").code == 2)
    let state = try scratch.write("s.yaml", Array(StateFileTests.example.utf8))
    let other = try k8sdp("trace", "--state", state, "--in", "2=x", "--dataplane", "tofino")
    #expect(other.code == 2)
    #expect(other.error.contains("take model or dpdk"))
  }

  /// A folder is its state file and captures by name: the same files come out, byte for byte.
  @Test(arguments: ["curl-service", "endpoint-removed-tcp", "ttl"])
  func aFolderIsTakenAsItIs(_ name: String) throws {
    let folder = Fixture.root.path + "/" + name
    let inputs = FixtureFolder(path: folder).captures("in")
    let by = { (out: String, arguments: [String]) in
      try k8sdp(["replay", "--out", out, "--annotate"] + arguments)
    }
    let whole = try by("whole", ["--snapshot", folder])
    let named = try by(
      "named",
      ["--state", folder + "/state.yaml"] + inputs.flatMap { ["--in", "\($0.port)=\($0.path)"] })
    #expect(whole.code == 0 && named.code == 0, "\(whole)")
    #expect(whole.out == named.out && !whole.out.isEmpty)
    let files = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/whole")
      .sorted()
    #expect(files.contains("summary.json") && files.count > 1)
    for file in files {
      #expect(try scratch.read("whole/" + file) == scratch.read("named/" + file), "\(file)")
    }
    let trace = try k8sdp("trace", "--snapshot", folder, "--frame", "1")
    #expect(trace.code == 0 && trace.out.hasPrefix("#1 "), "\(trace)")
  }

  @Test func aSnapshotWithoutFramesSaysSo() throws {
    _ = try scratch.write("state.yaml", Array(StateFileTests.example.utf8))
    let bare = try k8sdp("replay", "--snapshot", scratch.path, "--out", "o")
    #expect(bare.code == 2 && bare.error.contains("take a snapshot with --duration"), "\(bare)")
  }

  /// A build without gRPC has no commands for a running node, and says so, and how to get them.
  @Test func withoutTheTraitLiveCommandsSaySo() throws {
    let help = try k8sdp("--help").out
    for name in LiveCommands.names {
      for line in [[name], [name, "--from", "x"], ["help", name]] {
        let refusal = try #require(LiveCommands.refusal(line))
        #expect(refusal.place == name && refusal.message.contains("without the trait Infrap4d"))
        #expect(refusal.message.contains("swift build --product k8sdp"))
      }
      #if Infrap4d
        #expect(help.contains("\n  \(name) "), "\(name) is no command")
      #else
        let outcome = try k8sdp(name)
        #expect(outcome.code == 2 && outcome.error.contains("without the trait Infrap4d"))
      #endif
    }
    for line in [[], ["check", "top"], ["replay"], ["help"], ["--help"]] {
      #expect(LiveCommands.refusal(line) == nil)
    }
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
    #expect(try k8sdp("--version").out == Release.version + "\n")
    for command in ["replay", "compare", "trace", "check", "differences"] {
      let help = try k8sdp(command, "--help")
      #expect(help.code == 0)
      #expect(help.out.contains("--json"))
      #expect(help.out.contains("k8sdp \(command)"))
    }
  }
}
