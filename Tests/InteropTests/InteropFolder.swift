import Certificates
import Foundation
import NodeTesting
import Testing

/// A folder of a test, with certificates for both sides.
final class InteropFolder: Sendable {
  private let folder: TemporaryFolder
  var path: String { folder.path }
  var certificates: String { path + "/certs" }

  init() throws {
    folder = try TemporaryFolder("interop")
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: certificates)
  }

  /// Starts our server, on the model, and waits until it listens.
  func infrap4d() async throws -> (program: RunningProgram, port: Int) {
    let program = try RunningProgram([
      Self.infrap4d, "--dataplane", "model", "--listen", "127.0.0.1:0", "--state", path + "/state",
      "--certs", certificates, "--metrics-address", "",
    ])
    let line = try await program.wait(for: "listening")
    let address = try #require(line.firstMatch(of: /127\.0\.0\.1:([0-9]+)/))
    return (program, try #require(Int(address.1)))
  }

  /// Starts the C++ server and waits until it listens.
  func cxxServer(port: Int = 0) async throws -> (program: RunningProgram, port: Int) {
    let program = try RunningProgram([CxxPrograms.server, "127.0.0.1:\(port)", certificates])
    let line = try await program.wait(for: "listening")
    return (program, try #require(Int(line.split(separator: " ")[1])))
  }

  /// The program that was built with these tests.
  private static let infrap4d: String = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let folder =
      bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("infrap4d").path
  }()
}
