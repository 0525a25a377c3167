import ArgumentParser
import Foundation
import NodeTesting
import Testing

@testable import infrap4d

/// infrap4d's options from the command line, the environment and a file.
@Suite struct SettingsTests {
  private let folder: TemporaryFolder
  private var file: String { folder.path + "/infrap4d.yaml" }

  init() throws { folder = try TemporaryFolder("settings") }

  private func parse(
    _ given: [String] = [], file text: String? = nil, _ environment: [String: String] = [:]
  ) throws -> Infrap4d {
    var given = given
    if let text {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      given = ["--config", file] + given
    }
    return try Infrap4d.parse(try Settings.arguments(given, environment: environment))
  }

  @Test func flagsEnvironmentFileDefaults() throws {
    let text = """
      dataplane: model
      listen: 127.0.0.1:1,unix:/run/x.sock
      log-level: debug
      max-ports: 16
      insecure: true
      """
    let none = try parse([], file: "")
    #expect(none.log.logLevel == "info" && none.listening.listen.count == 2 && !none.tls.insecure)
    let fromFile = try parse(file: text)
    #expect(fromFile.engine.dataplane == .model && fromFile.engine.maxPorts == 16)
    #expect(fromFile.listening.listen == ["127.0.0.1:1", "unix:/run/x.sock"])
    #expect(fromFile.log.logLevel == "debug" && fromFile.tls.insecure)
    let environment = [
      "INFRAP4D_LOG_LEVEL": "warn", "INFRAP4D_LISTEN": "127.0.0.1:2",
      "INFRAP4D_INSECURE": "false", "PATH": "/bin",
      // The unit's own, which the command line has already.
      "INFRAP4D_OPTIONS": "--dataplane model",
    ]
    let overridden = try parse(file: text, environment)
    #expect(overridden.log.logLevel == "warn" && overridden.listening.listen == ["127.0.0.1:2"])
    #expect(!overridden.tls.insecure && overridden.engine.maxPorts == 16)
    let flagged = try parse(
      ["--log-level=error", "--listen", "127.0.0.1:3", "--insecure", "--metrics-address", ""],
      file: text, environment)
    #expect(flagged.log.logLevel == "error" && flagged.listening.listen == ["127.0.0.1:3"])
    #expect(flagged.tls.insecure && flagged.listening.metricsAddress.isEmpty)
    #expect(try !parse(["--no-insecure"], file: text).tls.insecure)
    // Empty text is a value.
    #expect(try parse([], file: "metrics-address: ''").listening.metricsAddress.isEmpty)
  }

  /// Every option is a setting, so that none is to be had one way only.
  @Test func everyOptionIsASetting() throws {
    let help = Infrap4d.helpMessage(columns: 200)
    let options = Set(
      help.matches(of: /(?m)^ +--([a-z][a-z0-9-]*)/).map { String($0.1) })
    #expect(options.subtracting(["config", "help", "version"]) == Set(Settings.names))
  }

  @Test(arguments: [
    ("log-levle: debug", "log-levle is no setting; there are"),
    ("insecure: perhaps", "insecure: is perhaps; give true or false"),
    ("max-ports: 1", "--max-ports is 2 to 65536"),
    ("listen: {a: b}", "listen.a is no setting"),
  ])
  func badSettingsAreRefused(_ text: String, _ reason: String) async throws {
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try await Command.run([ServerProcess.program, "--config", file])
    #expect(outcome.status == 2 && outcome.output.contains(reason), "\(outcome)")
  }

  @Test func missingFilesAndBadVariables() async throws {
    let missing = try await Command.run([ServerProcess.program, "--config", "/nowhere.yaml"])
    #expect(missing.status == 2 && missing.output.contains("/nowhere.yaml"), "\(missing)")
    let variable = try await Command.run(["env", "INFRAP4D_LOGLEVEL=debug", ServerProcess.program])
    #expect(variable.status == 2 && variable.output.contains("INFRAP4D_LOGLEVEL"), "\(variable)")
  }

  /// SIGHUP reads level and format anew and ends nothing; what is no setting changes nothing.
  @Test func hangup() async throws {
    func write(_ text: String) throws {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
    try write("dataplane: model\nlog-level: info\n")
    let program = try RunningProgram([
      ServerProcess.program, "--config", file, "--state", "none", "--metrics-address", "",
      "--listen", "unix:\(folder.path)/p4.sock",
    ])
    try await program.wait(for: "listening")
    func hangUp() { kill(program.identifier, SIGHUP) }
    hangUp()
    #expect(try await program.wait(for: "log level").contains("log_level=info"))
    try write("dataplane: model\nlog-level: debug\nlog-format: json\n")
    hangUp()
    #expect(try await program.wait(for: "log level").contains(#""log_level":"debug""#))
    try write("log-level: loud\n")
    hangUp()
    try await program.wait(for: "settings cannot be read anew")
    #expect(try await program.wait(for: "log level").contains(#""log_level":"debug""#))
    kill(program.identifier, SIGTERM)
    let rest = try await program.rest()
    #expect(rest.contains { $0.contains("stopped") }, "\(rest)")
  }
}
