import Core
import Foundation
import NodeTesting
import Testing

@testable import Replay

/// Real programs, now: namespaces are built, the kernel does the DNAT, both sides
/// are captured, and the clients' side goes through our dataplanes.
@Suite(.serialized, .enabled(if: Namespaces.reason == nil, "\(Namespaces.reason ?? "")"))
struct KernelOracleTests {
  /// TCP with and without ECN, loss and half-close, UDP with and without checksum
  /// and in fragments, IP options, DNS over both, Services that share an endpoint.
  static let scenarios = [
    "curl-service", "tcp-ecn", "tcp-loss", "tcp-half-close", "udp-echo", "udp-no-checksum",
    "dns-udp", "dns-tcp", "dns-fragments", "ip-options", "shared-endpoint",
  ]

  @Test func ourFramesAreTheKernels() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("oracle-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = Fixture.root.deletingLastPathComponent()
      .appendingPathComponent("scripts/capture-fixtures.py")
    let (status, output) = try Namespaces.run(
      script.path, ["--into", folder.path] + Self.scenarios.flatMap { ["--only", $0] })
    try #require(status == 0, "\(output)")

    var names = ["model"]
    if DataplaneFactory.hasDPDK { names.append("dpdk") }
    let factory = DataplaneFactory.k8sDP(sizes: FixtureTests.sizes)
    for scenario in Self.scenarios {
      let fixture = Fixture(name: scenario, folder: folder.appendingPathComponent(scenario))
      for name in names {
        #expect(try KernelOracle.check(fixture, with: factory.make(name)) > 0, "\(scenario)")
      }
    }
  }
}

/// Whether this process may build network namespaces.
enum Namespaces {
  /// Why not, or nil.
  static let reason: String? = {
    guard geteuid() == 0 else { return "network namespaces need root" }
    let name = "k8sdp-probe-\(ProcessInfo.processInfo.processIdentifier)"
    guard let (status, output) = try? run("ip", ["netns", "add", name]) else {
      return "there is no ip command"
    }
    guard status == 0 else { return "no network namespaces: \(output)" }
    _ = try? run("ip", ["netns", "del", name])
    let missing = ["nft", "tcpdump", "ethtool", "curl", "dig", "dnsmasq", "socat", "python3"]
      .filter { (try? run("which", [$0]))?.status != 0 }
    return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
  }()

  static func run(_ program: String, _ arguments: [String]) throws
    -> (status: Int32, output: String)
  {
    let outcome = try Command.runNow([program] + arguments)
    return (outcome.status, outcome.output)
  }
}
