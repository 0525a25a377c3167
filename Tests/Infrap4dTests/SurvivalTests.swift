import Foundation
import NodeTesting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// What is there again after a restart.
@Suite struct SurvivalTests {
  static let engines = ["model"] + (hasDPDK ? ["dpdk"] : [])

  private func write(_ server: ServerProcess, _ addresses: Range<UInt32>) async throws {
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.write(try addresses.map { try TestController.route($0) })
    }
  }

  private func read(_ server: ServerProcess) async throws -> [P4_V1_Entity] {
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.entries()
    }
  }

  @Test(arguments: engines) func killedServerComesBack(_ engine: String) async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", engine])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
    }
    try await write(server, 100..<600)
    let before = try await read(server)
    #expect(before.count == 500)
    for _ in 0..<3 {
      try await server.killHard()
      try await server.start(["--dataplane", engine])
      #expect(try await read(server) == before)
    }
    // It goes on from there.
    try await write(server, 600..<700)
    try await server.killHard()
    try await server.start(["--dataplane", engine])
    #expect(try await read(server).count == 600)
    #expect(try await server.stop() == 0)
  }

  @Test func deletionsAndModificationsAreKept() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write(try (1...50).map { try TestController.route($0) })
      try await controller.write(try (1...20).map { try TestController.route($0, .delete) })
      try await controller.write(
        try (21...30).map { try TestController.route($0, port: 9, .modify) })
    }
    let before = try await read(server)
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(before.count == 30)
    #expect(try await read(server) == before)
  }

  @Test func recordThatWasCutShortIsLeftOut() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await write(server, 1..<11)
    try await write(server, 11..<21)
    try await server.killHard()
    let file = server.state + "/pipeline.log"
    let content = try #require(FileManager.default.contents(atPath: file))
    try content.dropLast(5).write(to: URL(fileURLWithPath: file))
    try await server.start(["--dataplane", "model"])
    #expect(server.log.contains("cut short"))
    #expect(try await read(server).count == 10)
    try await write(server, 30..<35)
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(try await read(server).count == 15)
  }

  /// Files of the server may have so many bytes: as if the disk was full.
  private func limitFiles(of server: ServerProcess, to bytes: String) async throws {
    let outcome = try await Command.run([
      "prlimit", "--pid", "\(server.identifier)", "--fsize=\(bytes):",
    ])
    #expect(outcome.status == 0, "\(outcome)")
  }

  /// What could not be kept while the disk was full is there as soon as it is not, and nothing
  /// is kept that does not fit what was before.
  @Test func aDiskThatIsFullForAWhile() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await write(server, 1..<101)
    try await limitFiles(of: server, to: "16384")
    try await write(server, 500..<501)
    #expect(server.log.contains("cannot be kept on disk"))
    try await limitFiles(of: server, to: "unlimited")
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.write([try TestController.route(500, .delete)])
      try await controller.write([try TestController.route(501)])
    }
    #expect(server.log.contains("can be kept on disk again"))
    let before = try await read(server)
    #expect(before.count == 101)
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(!server.log.contains("starting without it"))
    #expect(try await read(server) == before)
  }

  /// Updates of a pipeline are not taken for those of another one that was there before.
  @Test func aPipelineThatCouldNotBeKept() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await write(server, 1..<101)
    let old = try await read(server)
    try await limitFiles(of: server, to: "16384")
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(50, port: 9)])
    }
    // As long as the disk is full, a restart goes back to what was kept.
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(try await read(server) == old)
    try await limitFiles(of: server, to: "16384")
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(50, port: 9)])
    }
    try await limitFiles(of: server, to: "unlimited")
    try await write(server, 51..<52)
    let before = try await read(server)
    #expect(before.count == 2)
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(try await read(server) == before)
  }

  /// What was acknowledged is there after SIGKILL, whenever that comes, and at most what was under
  /// way besides.
  @Test func everyAcknowledgedUpdateIsThere() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    let batch = UInt32(50)
    var next = UInt32(0)
    for round in 1...8 {
      let (acknowledged, feed) = AsyncStream<UInt32>.makeStream()
      let first = next
      let writing = Task {
        defer { feed.finish() }
        let transport = try TestController.unix(server.socket)
        try await TestController.run(transport, electionID: UInt64(round)) { controller in
          for start in stride(from: first, to: .max, by: Int(batch)) {
            try await controller.write(
              try (start..<start + batch).map { try TestController.route($0) },
              electionID: UInt64(round))
            feed.yield(start + batch)
          }
        }
      }
      var count = 0
      for await end in acknowledged {
        next = end
        count += 1
        // While the next one is on its way.
        if count == 3 * round { try await server.killHard() }
      }
      _ = try? await writing.value
      try await server.start(["--dataplane", "model"])
      #expect(!server.log.contains("starting without it"))
      let found = Set(
        try await read(server).map { entity in
          entity.tableEntry.match[0].exact.value.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        })
      #expect(found.isSuperset(of: 0..<next), "\(found.count) of \(next)")
      #expect(found.subtracting(0..<next).isSubset(of: next..<next + batch))
      next = max(next, found.max().map { $0 + 1 } ?? 0)
    }
  }

  // MARK: A state that is good, for another server

  /// A pipeline that cannot be had as the server is started now stays where it is.
  private func expectRefusal(
    _ server: ServerProcess, _ arguments: [String], _ reason: String
  ) async throws {
    let file = server.state + "/pipeline.log"
    let content = try #require(FileManager.default.contents(atPath: file))
    let outcome = try await server.run(
      arguments + ["--listen", "unix:" + server.socket, "--state", server.state])
    #expect(outcome.code == 1)
    #expect(outcome.log.contains(reason), "\(outcome.log)")
    #expect(outcome.log.contains("start with the --dataplane, --max-ports and --memory"))
    #expect(FileManager.default.contents(atPath: file) == content)
    #expect(!FileManager.default.fileExists(atPath: file + ".damaged"))
  }

  @Test func fewerPorts() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(1, port: 9)])
    }
    let before = try await read(server)
    try await server.killHard()
    try await expectRefusal(
      server, ["--dataplane", "model", "--max-ports", "4"], "port 9 does not exist")
    try await server.start(["--dataplane", "model"])
    #expect(try await read(server) == before)
  }

  @Test(.enabled(if: engines.contains("dpdk"), "this build has no DPDK"))
  func anotherDataplaneOrTooLittleMemory() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "dpdk"])
    let border = try Border()
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push(border.config)
      try await controller.write([P4_V1_Entity.table(border.host(1)).insert])
    }
    let before = try await read(server)
    try await server.killHard()
    try await expectRefusal(server, ["--dataplane", "model"], "model cannot run it")
    try await server.start(["--dataplane", "dpdk"])
    #expect(try await read(server) == before)
    // k8s_dp's tables take more.
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await server.killHard()
    try await expectRefusal(server, ["--dataplane", "dpdk", "--memory", "128"], "memory")
  }

  @Test(arguments: [3, 40, 5_000, 60_000]) func damagedFileMeansCleanStart(_ place: Int)
    async throws
  {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await write(server, 1..<2_000)
    try await server.killHard()
    let file = server.state + "/pipeline.log"
    var content = try #require(FileManager.default.contents(atPath: file))
    content[content.startIndex + place] ^= 0x40
    try content.write(to: URL(fileURLWithPath: file))
    try await server.start(["--dataplane", "model"])
    #expect(server.log.contains("starting without it") || server.log.contains("cut short"))
    #expect(FileManager.default.fileExists(atPath: file + ".damaged") || place == 3)
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      #expect(try await controller.entries().isEmpty)
    }
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(!server.log.contains("starting without it"))
  }

  @Test func journalStaysShortUnderChurn() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { controller in
      try await controller.push()
      let insert = try (1...1_000).map { try TestController.route($0) }
      let delete = try (1...1_000).map { try TestController.route($0, .delete) }
      for _ in 0..<60 {
        try await controller.write(insert)
        try await controller.write(delete)
      }
    }
    let attributes = try FileManager.default.attributesOfItem(
      atPath: server.state + "/pipeline.log")
    let size = try #require(attributes[.size] as? Int)
    #expect(size < 6 << 20, "\(size) bytes for no entry")
    try await server.killHard()
    try await server.start(["--dataplane", "model"])
    #expect(try await read(server).isEmpty)
  }
}

#if DPDK && canImport(DPDKDataplane)
  let hasDPDK = true
#else
  let hasDPDK = false
#endif
