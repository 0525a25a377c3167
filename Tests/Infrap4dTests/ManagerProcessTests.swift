import Foundation
import NodeTesting
import Testing

/// The manager and the server as processes, with pods that talk.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ManagerProcessTests {
  @Test(arguments: SurvivalTests.engines) func connectionsOutliveTheManager(
    _ engine: String
  ) async throws {
    let folder = try TemporaryFolder("manager")
    let manager = ManagerProcess(folder: folder.path)
    let node = try await ServiceNode(["--dataplane", engine]) { server, names in
      try await manager.start(server)
      try await manager.program(names)
    }
    let vip = ServiceNode.vip
    let echo = try await LongConnection.serve(in: node.web, port: 8080)
    let transfers = try await Transfer.serve(in: node.web, port: 8081)
    let connection = try await LongConnection(
      from: node.client, to: vip, port: 80, folder: node.server.folder)
    try await connection.exchange(1)

    for n in UInt32(0)..<4 {
      // Killed while a change is under way, which is made or not.
      async let change = try? manager.call {
        try await $0.natTranslationAdd(
          ManagerProcess.translation(82 + n, to: "10.244.0.7", 8081))
      }
      try await manager.killHard()
      _ = await change
      try await connection.exchange(3)
      try await manager.start(node.server)
      // Asked again it is made, and nothing else changes.
      try await manager.program(node.names)
      _ = try await manager.call {
        try await $0.natTranslationAdd(
          ManagerProcess.translation(82 + n, to: "10.244.0.7", 8081))
      }
      #expect(try await manager.isServing())
      _ = try await Transfer.send(
        100_000, from: node.client, to: vip, port: Int(82 + n))
      try await connection.exchange(3)
    }
    let entries = try await node.entries()
    try await manager.program(node.names)
    #expect(try await node.entries() == entries)

    // A server that has forgotten all is told all.
    try await node.server.killHard()
    try FileManager.default.removeItem(atPath: node.server.state + "/pipeline.log")
    try await node.server.start(["--dataplane", engine])
    try await manager.program(node.names)
    #expect(try await node.entries() == entries)
    _ = try await Transfer.send(100_000, from: node.client, to: vip, port: 85)

    // What is taken away is gone.
    try await manager.call { client in
      for port in UInt32(80)...85 {
        _ = try await client.natTranslationDelete(
          ManagerProcess.translation(port, to: "10.244.0.7", 8080))
      }
    }
    #expect(try await node.entries().count < entries.count)
    try await manager.killHard()
    try await node.stop()
    withExtendedLifetime((echo, transfers)) {}
  }

  @Test func badSettingsAreOneErrorThatSaysWhatToDo() async throws {
    let folder = try TemporaryFolder("manager")
    let file = folder.path + "/bad.yaml"
    try "LogLevel: Info\nGrpcServr:\n  addr: localhost:1\n".write(
      toFile: file, atomically: true, encoding: .utf8)
    for (arguments, text) in [
      (["--set", "LogLevel=Loud"], "LogLevel: Loud is none; give trace"),
      (["--set", "Nonsense=1"], "Nonsense is no setting; there are GrpcServer.addr"),
      (["--set", "LogLevel"], "give NAME=VALUE"),
      (["--set", "GrpcServer.addr=here"], "here is no address; give HOST:PORT or unix:PATH"),
      (
        ["--set", "InfraManager.metrics-addr=9"],
        "InfraManager.metrics-addr: 9 is no address; give HOST:PORT or unix:PATH"
      ),
      (["--set", "InfraManager.arp-mac=x"], "x is no unicast MAC address"),
      (["--set", "P4BinPath=x"], "give both P4InfoPath and P4BinPath"),
      (["--set", "Insecure=perhaps"], "give true or false"),
      (["--config", file], "bad.yaml:3:3: GrpcServr.addr is no setting"),
      (["--config", folder.path + "/none.yaml"], "none.yaml: cannot be read"),
    ] {
      let outcome = try await Command.run(
        [ManagerProcess.path, "--set", "State=none"] + arguments)
      #expect(outcome.status == 2, "\(arguments): \(outcome)")
      #expect("\(outcome)".contains(text), "\(arguments): \(outcome)")
    }
  }

  /// All modules of a daemon obey one level, which changes while it runs.
  @Test func theLogLevelChangesAtRunTime() async throws {
    let folder = try TemporaryFolder("manager")
    let file = folder.path + "/settings.yaml"
    try "LogLevel: Info\n".write(toFile: file, atomically: true, encoding: .utf8)
    let manager = try RunningProgram([
      ManagerProcess.path, "--config", file, "--set", "State=\(folder.path)/state", "--set",
      "InfraManager.addr=unix:\(folder.path)/sock", "--set", "InfraManager.metrics-addr=", "--set",
      "Insecure=true",
    ])
    try await manager.wait(for: "listening")
    for level in ["debug", "error"] {
      try "LogLevel: \(level)\n".write(toFile: file, atomically: true, encoding: .utf8)
      kill(manager.identifier, SIGHUP)
      // A level that keeps it from saying so is seen by what follows.
      if level == "debug" { try await manager.wait(for: "level=debug") }
    }
    try "LogLevel: loud\n".write(toFile: file, atomically: true, encoding: .utf8)
    kill(manager.identifier, SIGHUP)
    let refusal = try await manager.wait(for: "LogLevel")
    #expect(refusal.contains("loud is none; give trace"), "\(refusal)")
    // The notice about the level is less than an error.
    manager.kill()
    #expect(try await !manager.rest().joined().contains("level=error"))
    let server = try RunningProgram([
      ServerProcess.program, "--dataplane", "model", "--listen",
      "unix:\(folder.path)/infrap4d.sock",
      "--state", "none", "--certs", folder.path + "/certs", "--metrics-address", "", "--log-level",
      "Info",
    ])
    try await server.wait(for: "listening")
    for (signal, level) in [(SIGUSR1, "debug"), (SIGUSR2, "info")] {
      kill(server.identifier, signal)
      try await server.wait(for: "level=\(level)")
    }
  }
}
