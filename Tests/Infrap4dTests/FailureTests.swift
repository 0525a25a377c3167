import Core
import Foundation
import NodeTesting
import P4RuntimeTesting
import Testing

/// What docs/install.md says of failures: each row is made to happen, and every program that
/// it is about says what the row has, with the cure in it.
@Suite struct FailureTests {
  private static let document = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("docs/install.md")

  /// Failure → what is said; … stands for anything.
  private static let documented: [String: String] = {
    let text = (try? String(contentsOf: document, encoding: .utf8)) ?? ""
    let section = text.components(separatedBy: "### What the programs say").last ?? ""
    let rows = (section.components(separatedBy: "\n#").first ?? "").matches(
      of: /\| ([^|]+) \| `([^`|]+)` \|/)
    return Dictionary(
      rows.map { (String($0.1), String($0.2)) }, uniquingKeysWith: { first, _ in first })
  }()

  private static func isSaid(_ failure: Failure, in log: String) -> Bool {
    guard let text = documented[failure.rawValue] else { return false }
    var rest = log[...]
    for part in text.components(separatedBy: "…") where !part.isEmpty {
      guard let range = rest.range(of: part.trimmingCharacters(in: .whitespaces)) else {
        return false
      }
      rest = rest[range.upperBound...]
    }
    return true
  }

  /// A row without a failure that makes it happen fails here, and a failure without a row.
  @Test func theDocumentHasEachFailure() {
    #expect(Set(Self.documented.keys) == Set(Failure.allCases.map(\.rawValue)))
  }

  @Test(arguments: Failure.allCases) func isSaid(_ failure: Failure) async throws {
    let said = try await failure.happen()
    #expect(!said.isEmpty)
    for (program, text) in said {
      #expect(Self.isSaid(failure, in: text), "\(program): \(text)")
    }
  }

  /// A command is one line, without the words of the libraries below.
  @Test(arguments: [
    Failure.clientKey, .clientCertificate, .authorities, .noInfrap4d,
  ])
  func aCommandSaysOneLine(_ failure: Failure) async throws {
    let said = try await failure.happen()
    for command in ["gnmi-ctl", "k8sdp top"] {
      let text = try #require(said.first { $0.program.hasPrefix(command) }).text
      #expect(text.split(separator: "\n").count == 1, "\(text)")
      #expect(!text.contains(/NIOSSL|BoringSSL|handshake|failedTo|\.cc/), "\(text)")
    }
  }

  /// DPDK asks for no hugepage, so none can be missing.
  @Test(.enabled(if: SurvivalTests.engines.contains("dpdk"), "this build has no DPDK"))
  func noHugepages() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "dpdk"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(0x0AF4_0006)])
    }
    let status = try String(
      contentsOfFile: "/proc/\(server.identifier)/status", encoding: .utf8)
    #expect(status.contains(/HugetlbPages:\s+0 kB/), "\(status)")
  }

  /// Whoever has no certificates and no infrap4d misses infrap4d first.
  @Test func withoutAnything() async throws {
    for command in [
      ["k8sdp", "top", "--once", "--from", "infrap4d:localhost:1", "--certs", "/nowhere"],
      ["gnmi-ctl", "--grpc_addr=localhost:1", "--ca_cert_file=/nowhere/ca.crt", "cap"],
    ] {
      let text = try await FailureFolder.run(command)
      #expect(Self.isSaid(.noInfrap4d, in: text), "\(text)")
    }
  }
}
