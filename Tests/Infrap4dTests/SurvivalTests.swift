import Foundation
import P4RuntimeProtos
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
