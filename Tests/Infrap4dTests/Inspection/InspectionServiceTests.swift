import Core
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import InspectionProtos
import P4RuntimeProtos
import Testing

/// What nobody should ask of the service, and many who ask at once.
@Suite struct InspectionServiceTests {
  private static func code(_ body: () async throws -> Void) async -> RPCError.Code? {
    do {
      try await body()
      return nil
    } catch { return (error as? RPCError)?.code }
  }

  private typealias Instruction = K8sdp_V1_CaptureRequest.Instruction

  private static func instruction(
    _ code: UInt32, jt: UInt32 = 0, jf: UInt32 = 0, k: UInt32 = 0
  ) -> Instruction {
    .with {
      $0.code = code
      $0.jt = jt
      $0.jf = jf
      $0.k = k
    }
  }

  /// BPF_RET | BPF_K.
  private static let accept = instruction(6, k: 65_535)

  @Test func capturesThatMakeNoSense() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    let requests: [K8sdp_V1_CaptureRequest] = [
      .with {
        $0.lost = true
        $0.reasons = ["bad_luck"]
      },
      .with { $0.reasons = ["no_endpoint"] },
      // No return, a jump out of the program, no such instruction, numbers that do not fit.
      .with { $0.filter = [Self.instruction(0x28, k: 12)] },
      .with { $0.filter = [Self.instruction(5, k: 7), Self.accept] },
      .with { $0.filter = [Self.instruction(0xFFFF), Self.accept] },
      .with { $0.filter = [Self.instruction(1 << 16), Self.accept] },
      .with { $0.filter = [Self.instruction(0x15, jt: 256), Self.accept] },
      .with { $0.filter = [Instruction](repeating: Self.accept, count: 4097) },
      // Memory that a program has not.
      .with { $0.filter = [Self.instruction(2, k: 16), Self.accept] },
    ]
    try await InspectionClient.run(server) { client in
      for request in requests {
        let code = await Self.code {
          try await client.capture(request) { response in
            for try await _ in response.messages {}
          }
        }
        #expect(code == .invalidArgument, "\(request)")
      }
      let table = await Self.code {
        try await client.readLearned(.with { $0.table = "routes" }) { response in
          for try await _ in response.messages {}
        }
      }
      // There is no pipeline.
      #expect(table == .failedPrecondition)
    }
    #expect(try await server.stop() == 0)
  }

  /// Whatever bytes a request has, the server answers and goes on.
  @Test func randomRequests() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await TestController.run(try TestController.unix(server.socket)) { try await $0.push() }
    try await InspectionClient.run(server) { client in
      var random = SeededBytes(state: 7)
      for _ in 0..<200 {
        let bytes = random.bytes(random.below(60))
        var request =
          (try? K8sdp_V1_CaptureRequest(serializedBytes: bytes)) ?? K8sdp_V1_CaptureRequest()
        request.count = 1
        request.duration = 1_000_000
        _ = await Self.code {
          try await client.capture(request) { response in
            for try await _ in response.messages {}
          }
        }
        var snapshot =
          (try? K8sdp_V1_TakeSnapshotRequest(serializedBytes: bytes))
          ?? K8sdp_V1_TakeSnapshotRequest()
        snapshot.duration = min(snapshot.duration, 1_000_000)
        _ = await Self.code {
          try await client.takeSnapshot(snapshot) { response in
            for try await _ in response.messages {}
          }
        }
      }
      let status = try await client.getStatus(.init())
      #expect(status.pipeline == .k8SDp && status.engine == "model")
    }
    #expect(try await server.stop() == 0)
  }

  private struct SeededBytes {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    mutating func below(_ bound: Int) -> Int { Int(next()) % bound }
    mutating func bytes(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
  }

  /// A hundred at once: as many as there are places, and the others are told so. A place is free
  /// again when its reader is gone.
  @Test func aHundredCaptures() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    try await InspectionClient.run(server) { client in
      let codes = await withTaskGroup(of: RPCError.Code?.self) { group in
        let (tellers, gate) = AsyncStream<Void>.makeStream()
        for _ in 0..<100 {
          group.addTask {
            await Self.code {
              try await InspectionClient.capturing(client) { _ in
                // Begun: it stays until all others were told.
                gate.yield()
                try await Task.sleep(for: .seconds(3600))
              }
            }
          }
        }
        var begun = 0
        for await _ in tellers {
          begun += 1
          if begun == 8 { break }
        }
        var codes: [RPCError.Code?] = []
        for await code in group {
          codes.append(code)
          if codes.count == 92 { break }
        }
        group.cancelAll()
        return codes
      }
      #expect(codes.count == 92 && codes.allSatisfy { $0 == .resourceExhausted })
      // The server hears of the readers' end in its own time.
      var refused: RPCError.Code? = .resourceExhausted
      while refused == .resourceExhausted {
        refused = await Self.code {
          try await InspectionClient.capturing(client) { _ in }
        }
      }
      #expect(refused == nil)
    }
    #expect(try await server.stop() == 0)
  }

  /// The server ends while captures are under way, and they with it.
  @Test func serverStopsWithReaders() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    let ended = try await InspectionClient.run(server) { client in
      await Self.code {
        try await InspectionClient.capturing(client) { messages in
          async let status = server.stop()
          while try await messages.next() != nil {}
          #expect(try await status == 0)
        }
      }
    }
    // An error, or the end of the stream: both are an end.
    _ = ended
  }

  /// A server that has no such service, as upstream's.
  @Test func otherServers() async throws {
    let folder = NSTemporaryDirectory() + "other-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let socket = folder + "/s"
    let grpc = GRPCServer(
      transport: .http2NIOPosix(
        address: .unixDomainSocket(path: socket), transportSecurity: .plaintext), services: [])
    async let serving: Void = grpc.serve()
    _ = try await grpc.listeningAddress
    for command in [
      ["top", "--once"], ["flows"], ["capture"], ["snapshot", "--out", folder + "/x"],
    ] {
      let outcome = try await K8sDPTool.run(command + ["--from", "infrap4d:unix:\(socket)"])
      #expect(outcome.status == 2, "\(outcome)")
      #expect(
        outcome.error.contains("has no service k8sdp.v1.Inspection: it is upstream's infrap4d"),
        "\(outcome)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder + "/x"))
    grpc.beginGracefulShutdown()
    try await serving
  }
}
