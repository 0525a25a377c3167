#if DPDK
  import Core
  import Foundation
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Registers of a pipeline on DPDK's engine (P4Runtime 1.4, 9.7).
  @Suite(.serialized, .timeLimit(.minutes(15))) struct RegisterTests {
    private static func register(
      _ id: UInt32, _ index: Int64? = nil, _ value: [UInt8]? = nil
    ) -> P4_V1_Entity {
      .with {
        $0.registerEntry.registerID = id
        if let index { $0.registerEntry.index.index = index }
        if let value { $0.registerEntry.data.bitstring = Data(value) }
      }
    }

    @Test func readAndWritten() async throws {
      let border = try Border()
      try await TestServer.run(Engine.dpdk) { server in
        let session = try await server.start(border.config)
        let network = P4_V1_Entity.table(border.network(0, 0, port: 4))
        #expect(await server.write(network.insert).isOK)
        // What a controller writes, frames read, and the other way round.
        #expect(await server.write(Self.register(border.marks, 17, [0x2E]).modify).isOK)
        let (_, frame) = try await Border.send(
          server, from: 0x0A01_0203, to: 9, transport: 17)
        #expect(frame[15] == 0x2E, "the type of service")
        #expect(
          try await server.read(Self.register(border.lastSource, 17))
            == [Self.register(border.lastSource, 17, [0x0A, 1, 2, 3])])
        #expect(
          try await server.read(Self.register(border.lastSource, 6))
            == [Self.register(border.lastSource, 6, [0])])
        #expect(try await server.read(Self.register(border.marks)).count == 256)
        #expect(try await server.read(Self.register(0)).count == 512)
        // All of it.
        #expect(await server.write(Self.register(border.marks, nil, [0, 3]).modify).isOK)
        #expect(
          Set(
            try await server.read(Self.register(border.marks)).map(\.registerEntry.data.bitstring))
            == [Data([3])])
        // Another pipeline with the same registers goes on from there.
        var next = border.config
        next.p4Info.pkgInfo.version = "2"
        #expect(await server.set(.reconcileAndCommit, next).isOK)
        #expect(
          try await server.read(Self.register(border.lastSource, 17))
            == [Self.register(border.lastSource, 17, [0x0A, 1, 2, 3])])
        withExtendedLifetime(session) {}
      }
    }

    @Test func mistakes() async throws {
      let border = try Border()
      try await TestServer.run(Engine.dpdk) { server in
        let session = try await server.start(border.config)
        let good = Self.register(border.marks, 1, [1])
        let cases: [(P4_V1_Update, Int32, String)] = [
          (good.insert, 3, "INSERT"), (good.delete, 3, "DELETE"),
          (Self.register(777, 1, [1]).modify, 3, "no such register"),
          (Self.register(0, 1, [1]).modify, 3, "the id is not set"),
          (Self.register(border.marks, -1, [1]).modify, 3, "a negative index"),
          (Self.register(border.marks, 256, [1]).modify, 11, "an index that is too high"),
          (Self.register(border.marks, 1).modify, 3, "no value"),
          (Self.register(border.marks, 1, []).modify, 11, "an empty value"),
          (Self.register(border.marks, 1, [1, 0, 0, 0, 0]).modify, 11, "a value too wide"),
          (
            P4_V1_Entity.with {
              $0.registerEntry.registerID = border.marks
              $0.registerEntry.data.bool = true
            }.modify, 3, "a value of another type"
          ),
        ]
        for (update, code, what) in cases {
          #expect(await server.code(update) == code, "\(what)")
        }
        #expect(await server.read([Self.register(777)]).outcome.codes == [3])
        #expect(await server.read([Self.register(border.marks, -1)]).outcome.codes == [3])
        #expect(await server.read([Self.register(border.marks, 256)]).outcome.codes == [11])
        #expect(
          Set(
            try await server.read(Self.register(border.marks)).map(\.registerEntry.data.bitstring))
            == [Data([0])])
        withExtendedLifetime(session) {}
      }
    }
  }
#endif
