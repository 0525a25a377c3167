import Foundation
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Packet-in, packet-out, and errors of the stream (P4Runtime 1.4, section 16).
@Suite(.timeLimit(.minutes(15))) struct PacketTests {
  /// An egress port of 9 bits and 7 bits of padding, as P4Info of the test pipeline has it.
  private static func packetOut(
    _ metadata: [(UInt32, [UInt8])], _ payload: [UInt8] = [0xAA, 0xBB]
  ) -> P4_V1_StreamMessageRequest {
    .with {
      $0.packet = .with {
        $0.payload = Data(payload)
        $0.metadata = metadata.map { id, value in
          .with {
            $0.metadataID = id
            $0.value = Data(value)
          }
        }
      }
    }
  }

  @Test func packetOut() async throws {
    let packets = RecordedPackets()
    try await TestServer.run(packets: packets) { server in
      let session = try await server.start(try Balancer.config())
      var injected = packets.injected.makeAsyncIterator()
      // 9 bits and 7 bits, one behind the other; padded values and any order are good.
      for (metadata, header) in [
        ([(1, [1]), (2, [0])], [0x00, 0x80]), ([(2, [0x7F]), (1, [1, 0xFF])], [0xFF, 0xFF]),
        ([(1, [0, 0, 5]), (2, [0])], [0x02, 0x80]),
      ] as [([(UInt32, [UInt8])], [UInt8])] {
        session.send(Self.packetOut(metadata))
        #expect(await injected.next() == header + [0xAA, 0xBB])
      }
      session.send(Self.packetOut([(1, [1]), (2, [0])], []))
      #expect(await injected.next() == [0x00, 0x80])
    }
  }

  @Test func packetIn() async throws {
    let packets = RecordedPackets()
    try await TestServer.run(packets: packets) { server in
      let session = try await server.start(try Balancer.config())
      let backup = Session(server.client)
      backup.arbitrate((0, 0))
      _ = try await backup.news()
      let other = Session(server.client)
      other.arbitrate((0, 1), role: "monitor")
      _ = try await other.news()
      // Shorter than the header: nobody gets it.
      packets.emit([0x02])
      packets.emit([0x02, 0x85, 1, 2, 3])
      // The primary of every role, and no backup.
      for primary in [session, other] {
        let packet = try #require(try await primary.next()).packet
        #expect(packet.payload == Data([1, 2, 3]))
        #expect(packet.metadata.map(\.metadataID) == [1, 2])
        #expect(packet.metadata.map(\.value) == [Data([5]), Data([5])])
      }
      session.finish()
      let news = try #require(try await backup.next())
      #expect(news.arbitration.status.code == 5, "nothing came before: \(news)")
    }
  }

  @Test func refusedPackets() async throws {
    let packets = RecordedPackets()
    try await TestServer.run(packets: packets) { server in
      let session = try await server.start(try Balancer.config())
      for (metadata, what) in [
        ([], "nothing"), ([(1, [1])], "one is missing"), ([(1, [1]), (3, [0])], "an unknown one"),
        ([(1, [1]), (1, [1]), (2, [0])], "one twice"), ([(1, [2, 0]), (2, [0])], "too wide"),
        ([(1, []), (2, [0])], "empty"),
      ] as [([(UInt32, [UInt8])], String)] {
        let message = Self.packetOut(metadata)
        session.send(message)
        let error = try await session.error()
        #expect(error.canonicalCode == 3, "\(what)")
        #expect(error.packetOut.packetOut == message.packet, "\(what)")
        #expect(!error.message.isEmpty)
      }
      // A good one goes on.
      session.send(Self.packetOut([(1, [1]), (2, [0])], [7]))
      var injected = packets.injected.makeAsyncIterator()
      #expect(await injected.next() == [0x00, 0x80, 7])

      let backup = Session(server.client)
      backup.arbitrate((0, 0))
      _ = try await backup.news()
      backup.send(Self.packetOut([(1, [1]), (2, [0])]))
      #expect(try await backup.error().canonicalCode == 7)
      let silent = Session(server.client)
      silent.send(Self.packetOut([(1, [1]), (2, [0])]))
      #expect(try await silent.error().canonicalCode == 7)
    }
  }

  @Test func withoutPipelineOrPort() async throws {
    let message = Self.packetOut([(1, [1]), (2, [0])])
    try await TestServer.run(packets: RecordedPackets()) { server in
      let session = Session(server.client)
      session.arbitrate((0, 1))
      _ = try await session.news()
      session.send(message)
      #expect(try await session.error().canonicalCode == 9)
    }
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      session.send(message)
      let error = try await session.error()
      #expect(error.canonicalCode == 12 && error.message.contains("--cpu-port"))
    }
  }

  /// Errors of messages do not end the stream; a message that is none does.
  @Test func streamErrors() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      session.send(.with { $0.digestAck.digestID = 5 })
      var error = try await session.error()
      #expect(error.canonicalCode == 3 && error.digestListAck.digestListAck.digestID == 5)
      var config = try Balancer.config()
      config.p4Info.digests = [.with { $0.preamble.id = 5 }]
      #expect(await server.set(.verifyAndCommit, config) == .ok)
      for (id, code) in [(UInt32(5), Int32(12)), (6, 3)] {
        session.send(.with { $0.digestAck.digestID = id })
        error = try await session.error()
        #expect(error.canonicalCode == code && error.digestListAck.digestListAck.digestID == id)
      }
      session.send(.with { $0.other.typeURL = "type.googleapis.com/unknown" })
      error = try await session.error()
      #expect(error.canonicalCode == 3)
      #expect(error.other.other.typeURL == "type.googleapis.com/unknown")
      #expect(await server.write([]).isOK)
      session.send(.init())
      #expect(await session.ending() == .invalidArgument)
      #expect(await server.write([]).code == .permissionDenied)
    }
  }
}
