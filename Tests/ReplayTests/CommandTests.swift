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
