import Certificates
import Core
import Foundation
import GRPCCore
import NodeTesting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// What docs/install.md says of failures: each is made to happen, and the program says what
/// the document has, with the cure in it.
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

  private static func isSaid(_ failure: String, in log: String) -> Bool {
    guard let text = documented[failure] else { return false }
    var rest = log[...]
    for part in text.components(separatedBy: "…") where !part.isEmpty {
      guard let range = rest.range(of: part.trimmingCharacters(in: .whitespaces)) else {
        return false
      }
      rest = rest[range.upperBound...]
    }
    return true
  }

  /// A folder of a test, with certificates.
  private final class Folder {
    let path = NSTemporaryDirectory() + "failure-\(UUID().uuidString.prefix(8))"
    var certificates: String { path + "/certs" }

    init() throws {
      try CertificateSet(hosts: ["localhost"], now: Date()).write(to: certificates)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// An inframanager with certificates and an address where nobody is, unless given.
    func manager(_ settings: [String: String] = [:]) throws -> RunningProgram {
      let all = [
        "GrpcServer.addr": "localhost:1", "GnmiServer.addr": "localhost:1",
        "Certs": certificates, "State": path + "/state", "InfraManager.metrics-addr": "",
        "InfraManager.addr": "unix:\(path)/manager.sock",
      ].merging(settings) { $1 }
      return try RunningProgram(
        [ManagerProcess.path] + all.flatMap { ["--set", "\($0.key)=\($0.value)"] })
    }

    func agent(_ settings: [String: String]) throws -> RunningProgram {
      let all = [
        "GnmiServer.addr": "localhost:1", "Certs": certificates, "State": path + "/agent",
        "managerAddr": "unix:\(path)/none.sock", "kubeconfig": "none", "felixSocket": "none",
        "cniAddr": "unix:\(path)/cni.sock", "healthAddr": "unix:\(path)/pages.sock",
      ].merging(settings) { $1 }
      let program = URL(fileURLWithPath: ManagerProcess.path).deletingLastPathComponent()
        .appendingPathComponent("infraagent").path
      return try RunningProgram([program] + all.flatMap { ["--set", "\($0.key)=\($0.value)"] })
    }

    func server(_ arguments: [String] = []) throws -> RunningProgram {
      try RunningProgram(
        [
          ServerProcess.program, "--dataplane", "model", "--state", "none", "--certs",
          certificates, "--listen", "127.0.0.1:0", "--metrics-address", "",
        ] + arguments)
    }
  }

  /// All that a program says which cannot go on.
  private func lastWords(_ program: RunningProgram) async throws -> String {
    try await program.rest().joined(separator: "\n")
  }

  @Test func everyDocumentedFailureIsMadeToHappen() {
    #expect(
      Set(Self.documented.keys) == [
        "the server's key is another's", "a client's key is another's",
        "a certificate of the server is missing", "a certificate of a client is missing",
        "certificates of two authorities", "there is no infrap4d", "an address is in use",
        "a table is full", "the log file cannot be written",
      ])
  }

  @Test func wrongKeys() async throws {
    let folder = try Folder()
    let other = folder.path + "/other"
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: other)
    for name in ["stratum.key", "client.key"] {
      try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
      try FileManager.default.copyItem(
        atPath: "\(other)/\(name)", toPath: "\(folder.certificates)/\(name)")
    }
    let server = try await lastWords(try folder.server())
    #expect(Self.isSaid("the server's key is another's", in: server), "\(server)")
    for program in [try folder.manager(), try folder.agent([:])] {
      let log = try await lastWords(program)
      #expect(Self.isSaid("a client's key is another's", in: log), "\(log)")
    }
  }

  @Test(arguments: ["ca.crt", "stratum.crt", "stratum.key"])
  func missingOfTheServer(_ name: String) async throws {
    let folder = try Folder()
    try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
    let log = try await lastWords(try folder.server())
    #expect(Self.isSaid("a certificate of the server is missing", in: log), "\(log)")
    #expect(log.contains("\(name): is not there"))
  }

  @Test(arguments: ["ca.crt", "client.crt", "client.key"])
  func missingOfAClient(_ name: String) async throws {
    let folder = try Folder()
    try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
    for program in [try folder.manager(), try folder.agent([:])] {
      let log = try await lastWords(program)
      #expect(Self.isSaid("a certificate of a client is missing", in: log), "\(log)")
      #expect(log.contains("\(name): is not there"))
    }
  }

  /// Of the client by the server's authority, and the other way round.
  @Test(arguments: [["client.crt", "client.key"], ["ca.crt"]])
  func twoAuthorities(_ foreign: [String]) async throws {
    let (folder, other) = (try Folder(), try Folder())
    let server = try ServerProcess()
    try FileManager.default.copyItem(atPath: folder.certificates, toPath: server.certificates)
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    for name in foreign {
      try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
      try FileManager.default.copyItem(
        atPath: "\(other.certificates)/\(name)", toPath: "\(folder.certificates)/\(name)")
    }
    let manager = try folder.manager(["GrpcServer.addr": "localhost:\(port)"])
    let line = try await manager.wait(for: "infrap4d is not reached")
    #expect(Self.isSaid("certificates of two authorities", in: line), "\(line)")
    #expect(line.contains("at=localhost:\(port)"))
  }

  @Test func noInfrap4d() async throws {
    let folder = try Folder()
    let manager = try folder.manager()
    let line = try await manager.wait(for: "infrap4d is not reached")
    #expect(Self.isSaid("there is no infrap4d", in: line), "\(line)")
    // It waits for it.
    #expect(manager.isRunning)
  }

  @Test func addressesInUse() async throws {
    let folder = try Folder()
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    let taken = "127.0.0.1:\(port)"
    for (program, setting) in [
      (try folder.server(["--listen", taken]), "--listen"),
      (try folder.server(["--metrics-address", taken]), "--metrics-address"),
      (try folder.manager(["InfraManager.addr": taken]), "--set InfraManager.addr=…"),
      (
        try folder.manager(["InfraManager.metrics-addr": taken, "State": folder.path + "/other"]),
        "--set InfraManager.metrics-addr=…"
      ),
      (try folder.agent(["cniAddr": taken]), "--set cniAddr=…"),
      (
        try folder.agent(["healthAddr": taken, "State": folder.path + "/more"]),
        "--set healthAddr=…"
      ),
    ] {
      let log = try await lastWords(program)
      #expect(Self.isSaid("an address is in use", in: log), "\(log)")
      #expect(log.contains("\(taken) is in use") && log.contains("another with \(setting)"))
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

  @Test func aFullTable() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      let size = UInt32(K8sDP.Table.routes.size)
      let route = try TestController.route(0)
      func routes(_ addresses: Range<UInt32>) -> [P4_V1_Update] {
        addresses.map { address in
          var route = route
          route.entity.tableEntry.match[0].exact.value = Data(
            (0..<4).reversed().map { UInt8(truncatingIfNeeded: address >> UInt32($0 * 8)) })
          return route
        }
      }
      for start in stride(from: 0, to: size, by: 16_384) {
        try await controller.write(routes(start..<start + 16_384))
      }
      let error = await #expect(throws: RPCError.self) {
        try await controller.write(routes(size..<size + 1), .dataplaneAtomic)
      }
      let outcome = Outcome(try #require(error))
      let message = try #require(outcome.details.first).message
      #expect(Self.isSaid("a table is full", in: message), "\(message)")
      #expect(message.contains("\(size)"))
      // Nothing was lost, and nothing added.
      #expect(try await controller.entries().count == Int(size))
    }
  }

  @Test func aLogThatCannotBeWritten() async throws {
    let folder = try Folder()
    let program = try folder.server(["--log-file", "/proc/nowhere/infrap4d.log"])
    let line = try await program.wait(for: "the log file is not written")
    #expect(Self.isSaid("the log file cannot be written", in: line), "\(line)")
    try await program.wait(for: "listening")
  }
}
