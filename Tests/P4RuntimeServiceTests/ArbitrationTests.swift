import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Who is primary, and who hears of it (P4Runtime 1.4, section 5).
@Suite(.timeLimit(.minutes(15))) struct ArbitrationTests {
  @Test func highestIDIsPrimary() async throws {
    try await TestServer.run { server in
      let first = Session(server.client)
      first.arbitrate((0, 5))
      var news = try await first.news()
      #expect(news.status.code == 0 && news.electionID.low == 5 && news.deviceID == 1)
      // A backup is told who is primary, and nobody else anything.
      let second = Session(server.client)
      second.arbitrate((0, 4))
      news = try await second.news()
      #expect(news.status.code == 6 && news.electionID.low == 5)
      // The high word counts first.
      let third = Session(server.client)
      third.arbitrate((1, 0))
      #expect(try await third.news().status.code == 0)
      for session in [first, second] {
        news = try await session.news()
        #expect(news.status.code == 6 && news.electionID.high == 1)
      }
    }
  }

  @Test func primaryThatLeavesLeavesNone() async throws {
    try await TestServer.run { server in
      let primary = Session(server.client)
      primary.arbitrate((0, 5))
      _ = try await primary.news()
      let backup = Session(server.client)
      backup.arbitrate((0, 4))
      _ = try await backup.news()
      primary.finish()
      let news = try await backup.news()
      #expect(news.status.code == 5 && news.electionID.low == 5)
      // The id stays the one to beat.
      backup.arbitrate((0, 4))
      #expect(try await backup.news().status.code != 0)
      backup.arbitrate((0, 6))
      #expect(try await backup.news().status.code == 0)
    }
  }

  /// News of arbitration may not be left out, so who does not take them is let go.
  @Test func aControllerThatDoesNotReadIsCutOff() async throws {
    try await TestServer.run { server in
      try await TestServer.connected(to: server.port) { client in
        // A connection takes megabytes before it is full, and a role's name is in all news of it.
        let role = String(repeating: "r", count: 1 << 14)
        let deaf = Session(client, isRead: false)
        deaf.arbitrate((0, 1), role: role)
        let primary = Session(server.client)
        var id: UInt64 = 2
        func arbitrate() async throws {
          primary.arbitrate((0, id), role: role)
          #expect(try await primary.news().electionID.low == id)
          id += 1
        }
        while await server.controller.controlActivity().streams < 2 { try await arbitrate() }
        while await server.controller.controlActivity().streams > 1 { try await arbitrate() }
        // As many as may wait, and those that were on their way.
        #expect(id > 1024)
        #expect(await server.write([], id: (0, id - 1), role: role).code == .failedPrecondition)
        withExtendedLifetime(deaf) {}
      }
    }
  }

  @Test func takenIDEndsTheStream() async throws {
    try await TestServer.run { server in
      let first = Session(server.client)
      first.arbitrate((0, 5))
      _ = try await first.news()
      let second = Session(server.client)
      second.arbitrate((0, 5))
      #expect(await second.ending() == .invalidArgument)
      let lost = Session(server.client)
      lost.arbitrate((0, 7), device: 2)
      #expect(await lost.ending() == .notFound)
      // The first one hears nothing of it and goes on.
      first.arbitrate((0, 6))
      #expect(try await first.news().electionID.low == 6)
    }
  }

  @Test func onlyThePrimaryWrites() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config())
      let row = P4_V1_Entity.table(
        .row(Balancer.routes, [1], action: .call(Balancer.route, [1], [2])))
      #expect(await server.write([row.insert], id: (0, 2)).code == .permissionDenied)
      #expect(await server.write([row.insert], id: nil).code == .permissionDenied)
      #expect(await server.write([row.insert], device: 9).code == .notFound)
      #expect(await server.write([row.insert]).isOK)
      session.finish()
      #expect(await session.ending() == nil)
      #expect(await server.write([row.delete]).code == .permissionDenied)
      // Reading needs no right.
      #expect(try await server.read(.allTables()).count == 1)
    }
  }
}
