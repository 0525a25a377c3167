import Foundation
import NodeTesting
import Testing

/// What infra-cni says on standard error, which container runtimes keep.
@Suite struct CNILogTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder("cni-log") }

  /// Calls the plugin for a pod that cannot be connected: there is no agent.
  ///
  /// - Parameter keys: of the configuration, each with a comma after it.
  private func call(
    _ keys: String, command: String = "STATUS"
  ) async throws -> (status: Int32, out: String, log: String) {
    let outcome = try await Command.run(
      [
        "env", "CNI_COMMAND=\(command)", "CNI_PATH=/nowhere", "sh", "-c",
        "\"$1\" 2>\"$2\"", "sh",
        ProgramTests.products.appendingPathComponent("infra-cni").path, folder.path + "/log",
      ],
      input: """
        {\(keys)"cniVersion": "1.1.0", "name": "infra", "type": "infra-cni",
         "agent": "unix:\(folder.path)/none.sock", "dataDir": "\(folder.path)/data"}
        """)
    return (
      outcome.status, outcome.output,
      try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
    )
  }

  @Test func nothingIsSaidUnlessAsked() async throws {
    let quiet = try await call("")
    #expect(quiet.status == 1 && quiet.log.isEmpty, "\(quiet)")
    // Nor of what is no failure.
    let version = try await call(#""logLevel": "trace", "#, command: "VERSION")
    #expect(version.status == 0 && version.log.isEmpty, "\(version)")
  }

  @Test func aFailureIsALine() async throws {
    let quiet = try await call("")
    let text = try await call(#""logLevel": "info", "#)
    #expect(text.status == 1 && text.out == quiet.out, "\(text)")
    #expect(text.log.split(separator: "\n").count == 1, "\(text)")
    #expect(
      text.log.contains("error    infra-cni: failed") && text.log.contains("command=STATUS"),
      "\(text)")
    // A runtime that wants to hear of nothing but the end of the world.
    let critical = try await call(#""logLevel": "critical", "#)
    #expect(critical.status == 1 && critical.log.isEmpty, "\(critical)")
  }

  @Test func asJSON() async throws {
    let answer = try await call(#""logLevel": "info", "logFormat": "json", "#)
    let line = try #require(
      try JSONSerialization.jsonObject(with: Data(answer.log.utf8)) as? [String: String])
    #expect(line["program"] == "infra-cni" && line["level"] == "error", "\(line)")
    #expect(line["reason"]?.isEmpty == false && line["code"] == "50", "\(line)")
  }

  @Test(arguments: [
    (#""logLevel": "loud", "#, "logLevel: loud is none; give trace, debug"),
    (#""logLevel": "info", "logFormat": "xml", "#, "logFormat: xml is none; give text or json"),
  ])
  func badKeysAreRefused(_ keys: String, _ reason: String) async throws {
    let answer = try await call(keys)
    #expect(answer.status == 1 && answer.out.contains(reason), "\(answer)")
    #expect(answer.out.contains(#""code" : 7"#) && answer.log.isEmpty, "\(answer)")
  }
}
