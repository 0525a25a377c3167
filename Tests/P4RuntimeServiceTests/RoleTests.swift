import GRPCCore
import P4RuntimeProtos
import P4RuntimeService
import P4RuntimeTesting
import Testing

/// Roles, and what a stream may and may not ask for (P4Runtime 1.4, section 5).
@Suite(.timeLimit(.minutes(15))) struct RoleTests {
  private static let row = P4_V1_Entity.table(
    .row(Balancer.routes, [1], action: .call(Balancer.refuse)))

  @Test func eachRoleHasItsPrimary() async throws {
    try await TestServer.run { server in
      let session = try await server.start(try Balancer.config(), id: 9)
      let other = Session(server.client)
      other.arbitrate((0, 3), role: "other")
      let news = try await other.news()
      #expect(news.status.code == 0 && news.role.name == "other" && news.electionID.low == 3)
      #expect(await server.write([Self.row.insert], id: (0, 3), role: "other").isOK)
      #expect(await server.write([Self.row.delete], id: (0, 9)).isOK)
      // The id of one role is none of another's.
      #expect(await server.write([], id: (0, 9), role: "other").code == .permissionDenied)
      #expect(await server.write([], id: (0, 3)).code == .permissionDenied)
      #expect(await server.write([], id: (0, 3), role: "third").code == .notFound)
      withExtendedLifetime((session, other)) {}
    }
  }

  /// A controller without an election id is never primary.
  @Test func unsetElectionID() async throws {
    try await TestServer.run { server in
      let backup = Session(server.client)
      backup.arbitrate(nil)
      var news = try await backup.news()
      #expect(news.status.code == 5 && !news.hasElectionID)
      #expect(await server.write([], id: nil).code == .permissionDenied)
      // Set to zero is an id, and the lowest.
      let zero = Session(server.client)
      zero.arbitrate((0, 0))
      #expect(try await zero.news().status.code == 0)
      news = try await backup.news()
      #expect(news.status.code == 6 && news.hasElectionID && news.electionID == .init())
      // Giving its id up, a primary leaves none.
      zero.arbitrate(nil)
      #expect(try await zero.news().status.code == 5)
      #expect(try await backup.news().status.code == 5)
    }
  }

  @Test func lowerIDGivesUp() async throws {
    try await TestServer.run { server in
      let session = Session(server.client)
      session.arbitrate((1, 5))
      #expect(try await session.news().status.code == 0)
      session.arbitrate((0, .max))
      let news = try await session.news()
      #expect(news.status.code == 5 && news.electionID.high == 1 && news.electionID.low == 5)
      session.arbitrate((1, 5))
      #expect(try await session.news().status.code == 0)
    }
  }

  @Test func whatEndsAStream() async throws {
    let cases: [(@Sendable (Session) -> Void, RPCError.Code?)] = [
      ({ $0.arbitrate((0, 1), device: 2) }, .failedPrecondition),
      ({ $0.arbitrate((0, 1), role: "other") }, .failedPrecondition),
      ({ $0.arbitrate((0, 1)) { $0.role.config = .init() } }, .invalidArgument),
      ({ $0.finish() }, nil),
    ]
    try await TestServer.run { server in
      for (change, code) in cases {
        let session = Session(server.client)
        session.arbitrate((0, 1))
        _ = try await session.news()
        change(session)
        #expect(await session.ending() == code)
      }
    }
  }

  /// A role that had a primary is remembered for its election id, and one that had none is not;
  /// there is always room for the default role.
  @Test func rolesThatAreLeft() async throws {
    var options = PipelineController.Options()
    options.maximumRoles = 3
    try await TestServer.run(options: options) { server in
      for n in 0..<5 {
        let backup = Session(server.client)
        backup.arbitrate(nil, role: "backup \(n)")
        let news = try await backup.news()
        #expect(news.status.code == 5)
        backup.finish()
        #expect(await backup.ending() == nil)
      }
      #expect(await server.write([], role: "backup 0").code == .notFound)
      for role in ["a", "b"] {
        let session = Session(server.client)
        session.arbitrate((0, 7), role: role)
        #expect(try await session.news().status.code == 0)
        session.finish()
        #expect(await session.ending() == nil)
      }
      let third = Session(server.client)
      third.arbitrate((0, 7), role: "c")
      #expect(await third.ending() == .resourceExhausted)
      let lower = Session(server.client)
      lower.arbitrate((0, 6), role: "a")
      #expect(try await lower.news().status.code == 5)
      let session = Session(server.client)
      session.arbitrate((0, 1))
      #expect(try await session.news().status.code == 0)
    }
  }

  /// A stream that says nothing gives its place to others; one that has arbitrated may.
  @Test func patienceEnds() async throws {
    var options = PipelineController.Options()
    options.patience = .milliseconds(20)
    try await TestServer.run(options: options) { server in
      let live = Session(server.client)
      live.arbitrate((0, 1))
      let news = try await live.news()
      #expect(news.status.code == 0)
      for _ in 0..<3 {
        let silent = Session(server.client)
        #expect(await silent.ending() == .deadlineExceeded)
      }
      live.arbitrate((0, 2))
      #expect(try await live.news().electionID.low == 2)
    }
  }

  @Test func limits() async throws {
    var options = PipelineController.Options()
    options.maximumStreams = 6
    options.maximumStreamsPerRole = 2
    options.maximumRoles = 3
    try await TestServer.run(options: options) { server in
      var sessions: [Session] = []
      for (id, role) in [(1, nil), (2, nil), (1, "a"), (1, "b")] as [(UInt64, String?)] {
        let session = Session(server.client)
        session.arbitrate((0, id), role: role)
        _ = try await session.news()
        sessions.append(session)
      }
      // A third controller of a role, a fourth role.
      for role in [nil, "c"] as [String?] {
        let session = Session(server.client)
        session.arbitrate((0, 9), role: role)
        #expect(await session.ending() == .resourceExhausted)
      }
      // One that is there may still change its id.
      sessions[0].arbitrate((0, 3))
      while try await sessions[0].news().electionID.low != 3 {}
      // Seven streams are one too many, whether they say anything or not.
      for id in [UInt64(5), 6] {
        let session = Session(server.client)
        session.arbitrate((0, id), role: id == 5 ? "a" : "b")
        _ = try await session.news()
        sessions.append(session)
      }
      let last = Session(server.client)
      #expect(await last.ending() == .resourceExhausted)
      withExtendedLifetime(sessions) {}
    }
  }
}
