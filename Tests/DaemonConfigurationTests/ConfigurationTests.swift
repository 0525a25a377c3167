import Foundation
import NodeTesting
import Testing

@testable import DaemonConfiguration

/// What overrides what, and what is refused.
@Suite struct ConfigurationTests {
  private static let settings: [Configuration.Setting] = [
    .init("tapPrefix", "P4TAP_", ""), .init("GrpcServer.addr", "localhost:9559", ""),
    .init("LogLevel", "Info", ""),
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("settings") }

  private func file(_ name: String, _ text: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private func read(
    _ file: String?, overlay: String? = nil, _ environment: [String: String] = [:],
    flags: [String: String] = [:]
  ) throws -> Configuration {
    try Configuration(
      Self.settings, file: file, isFileRequired: file != nil, overlay: overlay,
      environment: environment, prefix: "X", flags: flags)
  }

  @Test func flagsEnvironmentNodeFileDefaults() throws {
    let all = try file("all.yaml", "tapPrefix: a\ngrpcserver: {addr: a:1}\nLogLevel: Debug\n")
    let node = try file("node-1.yaml", "tapPrefix: b\ngrpcServer: {addr: b:1}\n")
    #expect(try read(nil)["tapPrefix"] == "P4TAP_")
    #expect(try read(all)["GrpcServer.addr"] == "a:1")
    let merged = try read(all, overlay: node)
    #expect(merged["GrpcServer.addr"] == "b:1" && merged["LogLevel"] == "Debug")
    let environment = ["X_TAPPREFIX": "c", "X_GRPCSERVER_ADDR": "c:1"]
    let with = try read(all, overlay: node, environment, flags: ["tapPrefix": "d"])
    #expect(with["tapPrefix"] == "d" && with["GrpcServer.addr"] == "c:1")
    // A node without settings of its own.
    #expect(try read(all, overlay: folder.path + "/node-2.yaml")["tapPrefix"] == "a")
  }

  @Test func theFileOfANode() {
    func overlay(_ environment: [String: String]) -> String? {
      ConfigurationOptions.overlay(beside: "/etc/infra/infraagent.yaml", environment)
    }
    #expect(overlay(["NODE_NAME": "node-1"]) == "/etc/infra/node-1.yaml")
    #expect(overlay([:]) == nil && overlay(["NODE_NAME": ""]) == nil)
    #expect(overlay(["NODE_NAME": "../../tmp/x"]) == nil)
  }

  @Test(arguments: [
    ("tapPrefx: x", "tapPrefx is no setting"), ("GrpcServer: {port: 1}", "GrpcServer.port is no"),
    ("tapPrefix: [x]", "takes one value"), ("tapPrefix: a\ntapprefix: b", "is there twice"),
    ("- x", "expected: KEY: VALUE"), ("{", "did not find expected"),
  ])
  func refused(_ text: String, _ reason: String) throws {
    let path = try file("bad.yaml", text)
    for (all, node) in [(path, nil), (try file("good.yaml", ""), path)] {
      let error = try #require(throws: ConfigurationError.self) { try read(all, overlay: node) }
      #expect(error.place.hasPrefix(path) && error.message.contains(reason), "\(error)")
    }
  }

  @Test func missingFilesAndUnknownFlags() {
    #expect(throws: ConfigurationError.self) { try read("/none/x.yaml") }
    #expect(throws: ConfigurationError.self) { try read(nil, flags: ["nothing": "x"]) }
  }

  /// A mistyped variable is refused; those that Kubernetes makes of Services, and others'
  /// prefixes, are nobody's business.
  @Test func unknownVariables() throws {
    for name in ["X_TAPPREFX", "X_", "X_GRPCSERVER_PORT", "X_LOGLEVEL_"] {
      let error = try #require(throws: ConfigurationError.self) { try read(nil, [name: "a"]) }
      #expect(error.place == name && error.message.contains("is no setting; there are"), "\(error)")
      #expect(error.message.contains("X_GRPCSERVER_ADDR, X_LOGLEVEL, X_TAPPREFIX"), "\(error)")
    }
    let others = [
      "XTAPPREFX": "a", "TAPPREFX": "a", "X_SERVICE_HOST": "10.96.0.9", "X_SERVICE_PORT": "80",
      "X_SERVICE_PORT_METRICS": "80", "X_PORT": "tcp://10.96.0.9:80",
      "X_PORT_80_TCP": "tcp://10.96.0.9:80", "X_PORT_80_TCP_PROTO": "tcp",
      "X_METRICS_PORT_80_TCP_ADDR": "10.96.0.9", "X_METRICS_SERVICE_HOST": "10.96.0.9",
    ]
    #expect(try read(nil, others)["tapPrefix"] == "P4TAP_")
  }
}
