import Certificates
import Foundation
import NodeTesting

/// The programs of a failure, in a folder with certificates.
final class FailureFolder: Sendable {
  private let temporary: TemporaryFolder
  var path: String { temporary.path }
  var certificates: String { path + "/certs" }

  init() throws {
    temporary = try TemporaryFolder("failure")
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: certificates)
  }

  /// Has files of another one in place of its own.
  func take(_ names: [String], of other: FailureFolder) throws {
    for name in names {
      try FileManager.default.removeItem(atPath: "\(certificates)/\(name)")
      try FileManager.default.copyItem(
        atPath: "\(other.certificates)/\(name)", toPath: "\(certificates)/\(name)")
    }
  }

  /// An inframanager with certificates and an address where nobody is, unless given.
  func manager(_ settings: [String: String] = [:]) throws -> RunningProgram {
    try program(
      "inframanager",
      [
        "GrpcServer.addr": "localhost:1", "GnmiServer.addr": "localhost:1",
        "Certs": certificates, "State": path + "/state", "InfraManager.metrics-addr": "",
        "InfraManager.addr": "unix:\(path)/manager.sock",
      ].merging(settings) { $1 })
  }

  func agent(_ settings: [String: String] = [:]) throws -> RunningProgram {
    try program(
      "infraagent",
      [
        "GnmiServer.addr": "localhost:1", "Certs": certificates, "State": path + "/agent",
        "managerAddr": "unix:\(path)/none.sock", "kubeconfig": "none", "felixSocket": "none",
        "cniAddr": "unix:\(path)/cni.sock", "healthAddr": "unix:\(path)/pages.sock",
      ].merging(settings) { $1 })
  }

  private func program(_ name: String, _ settings: [String: String]) throws -> RunningProgram {
    try RunningProgram(
      [Self.path(name)] + settings.flatMap { ["--set", "\($0.key)=\($0.value)"] })
  }

  func server(_ arguments: [String] = []) throws -> RunningProgram {
    try RunningProgram(
      [
        ServerProcess.program, "--dataplane", "model", "--state", "none", "--certs",
        certificates, "--listen", "127.0.0.1:0", "--metrics-address", "",
      ] + arguments)
  }

  /// The commands that ask a running infrap4d, and what they say.
  func commands(port: Int) async throws -> [Failure.Said] {
    let certs = certificates
    var said: [Failure.Said] = []
    for command in [
      [
        "gnmi-ctl", "--grpc_addr=localhost:\(port)", "--ca_cert_file=\(certs)/ca.crt",
        "--client_cert_file=\(certs)/client.crt", "--client_key_file=\(certs)/client.key", "cap",
      ],
      [
        "k8sdp", "top", "--once", "--from", "infrap4d:localhost:\(port)", "--certs", certs,
      ],
      [
        "k8sdp", "flows", "--from", "infrap4d:localhost:\(port)", "--certs", certs,
      ],
    ] {
      said.append((command[0] + " " + command[1], try await Self.run(command)))
    }
    return said
  }

  /// All that a program says which cannot go on.
  static func run(_ command: [String]) async throws -> String {
    try await lastWords(try RunningProgram([path(command[0])] + command.dropFirst()))
  }

  static func lastWords(_ program: RunningProgram) async throws -> String {
    try await program.rest().joined(separator: "\n")
  }

  private static func path(_ name: String) -> String {
    URL(fileURLWithPath: ServerProcess.program).deletingLastPathComponent()
      .appendingPathComponent(name).path
  }
}
