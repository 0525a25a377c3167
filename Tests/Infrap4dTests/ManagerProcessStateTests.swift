import Foundation
import NodeTesting
import Synchronization
import Testing

/// What a manager keeps of what it wants, and what follows when it cannot.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ManagerProcessStateTests {
  /// Connections to a Service of several endpoints stay each with its own, whatever becomes of
  /// the manager's file and in whatever order it is told again.
  @Test(arguments: SurvivalTests.engines) func connectionsOutliveTheState(
    _ engine: String
  ) async throws {
    let folder = try TemporaryFolder("manager")
    let manager = ManagerProcess(folder: folder.path)
    let node = try await ServiceNode(["--dataplane", engine]) { server, names in
      try await manager.start(server)
      try await manager.program(names)
      try await manager.call {
        _ = try await $0.natTranslationAdd(Self.service)
      }
    }
    var servers: [RunningProgram] = []
    for port in 8080...8083 {
      servers.append(try await LongConnection.serve(in: node.web, port: port))
    }
    var connections: [LongConnection] = []
    for _ in 0..<6 {
      connections.append(
        try await LongConnection(
          from: node.client, to: ServiceNode.vip, port: 90, folder: node.server.folder))
    }
    func exchange() async throws {
      for connection in connections { try await connection.exchange(3) }
    }
    try await exchange()

    let file = manager.state + "/manager.log"
    for isDamaged in [false, true] {
      try await manager.killHard()
      if isDamaged {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        bytes[50] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
      } else {
        try FileManager.default.removeItem(atPath: manager.state)
      }
      let before = try await node.entries()
      try await manager.start(node.server)
      try await manager.watchHealth { $0 == .serving }
      // Before anybody has asked for anything.
      try await exchange()
      #expect(try await node.entries() == before)
      // A Service that was not there before gets the first numbers that are given.
      try await manager.call {
        _ = try await $0.natTranslationAdd(
          ManagerProcess.translation(isDamaged ? 71 : 70, to: "10.244.0.7", 8083, 8082, 8081))
      }
      try await exchange()
      try await manager.call { _ = try await $0.natTranslationAdd(Self.service) }
      try await manager.program(node.names)
      try await exchange()
      #expect(FileManager.default.fileExists(atPath: file + ".damaged") == isDamaged)
    }
    try await manager.killHard()
    try await node.stop()
    withExtendedLifetime(servers) {}
  }

  private static let service = ManagerProcess.translation(
    90, to: "10.244.0.7", 8080, 8081, 8082, 8083)

  /// A manager that starts again where nothing has changed has nothing to write, also when it
  /// is told everything again.
  @Test func aRestartWritesNothing() async throws {
    let folder = try TemporaryFolder("manager")
    let manager = ManagerProcess(folder: folder.path)
    let node = try await ServiceNode(["--dataplane", "model"]) { server, names in
      try await manager.start(server)
      try await manager.program(names)
    }
    func writes(_ page: ExposedMetrics) -> Double {
      page.samples.filter { $0.key.hasPrefix("infrap4d_p4runtime_writes_total{") }.values
        .reduce(0, +)
    }
    let before = writes(
      try await node.server.scrape {
        writes($0) > 0 && $0["infrap4d_table_entries{table=\"services\"}"] == 2
      })
    try await manager.killHard()
    try await manager.start(node.server)
    try await manager.watchHealth { $0 == .serving }
    try await manager.program(node.names)
    // The next one is the next one.
    try await manager.call {
      _ = try await $0.natTranslationAdd(ManagerProcess.translation(82, to: "10.244.0.7", 8081))
    }
    let after = try await node.server.scrape {
      $0["infrap4d_table_entries{table=\"services\"}"] == 3
    }
    #expect(writes(after) == before + 1)
    try await manager.killHard()
    try await node.stop()
  }

  @Test func healthFollowsInfrap4d() async throws {
    let folder = try TemporaryFolder("manager")
    let manager = ManagerProcess(folder: folder.path)
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await manager.start(server)
    let comings = Mutex(0)
    try await manager.watchHealth { status in
      switch (status, comings.withLock { $0 }) {
      case (.serving, 0):
        #expect(try await manager.isServing())
        #expect(try await manager.readiness() == "ok\n200")
        comings.withLock { $0 = 1 }
        try await server.killHard()
      case (.notServing, 1):
        #expect(try await !manager.isServing())
        #expect(try await manager.readiness().hasSuffix("503"))
        try await server.start(["--dataplane", "model"])
      case (.serving, 1): return true
      // It connects, and may have done so since.
      case (.notServing, 0): break
      default: Issue.record("\(status)")
      }
      return false
    }
    try await manager.killHard()
    #expect(try await server.stop() == 0)
  }

  /// A disk that is full keeps nobody from anything, is seen, and nothing is lost when the
  /// manager is killed meanwhile.
  @Test func aFullDisk() async throws {
    let folder = try TemporaryFolder("manager")
    let manager = ManagerProcess(folder: folder.path)
    try FileManager.default.createDirectory(
      atPath: manager.state, withIntermediateDirectories: true)
    try await Command.check("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", manager.state)
    defer { _ = try? Command.runNow(["umount", manager.state]) }
    let node = try await ServiceNode(["--dataplane", "model"]) { server, names in
      try await manager.start(server)
      try await manager.program(names)
    }
    let document = try MetricsDocument()
    var page = try await manager.scrape { $0["inframanager_state_kept"] == 1 }
    #expect(document.differences(from: page, program: "inframanager") == [])
    let filler = manager.state + "/filler"
    /// Whatever is free.
    func fill() async throws {
      _ = try await Command.run([
        "dd", "if=/dev/zero", "of=\(filler)", "bs=4k", "conv=notrunc", "oflag=append",
      ])
    }
    // The file has room in its last block.
    var port: UInt32 = 100
    repeat {
      try await fill()
      port += 1
      let service = ManagerProcess.translation(port, to: "10.244.0.7", 8080, 8081)
      try await manager.call { _ = try await $0.natTranslationAdd(service) }
      page = try await ExposedMetrics.scrape(unix: manager.metricsSocket)
    } while page["inframanager_state_kept"] == 1
    try await fill()
    #expect(try await manager.isServing())
    #expect(try await manager.readiness().hasPrefix("the disk does not take"))
    let entries = try await node.entries()
    try await manager.killHard()
    try await manager.start(node.server)
    try await manager.watchHealth { $0 == .serving }
    #expect(try await node.entries() == entries)

    try FileManager.default.removeItem(atPath: filler)
    try await manager.program(node.names)
    try await manager.scrape {
      $0["inframanager_state_kept"] == 1
        && $0["inframanager_desired_service_ports"] == Double(port - 100 + 2)
    }
    #expect(try await manager.readiness() == "ok\n200")
    try await manager.killHard()
    try await node.stop()
  }
}
