import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Health
import Logging
import NodeTesting
import Synchronization
import Testing

@testable import AgentService

/// The manager's health, and what is told when it begins to serve.
@Suite struct ManagerLinkTests {
  /// What the link has asked for.
  private actor Beginnings {
    private(set) var all: [ManagerLink<HTTP2ClientTransport.Posix>.Beginning] = []
    private(set) var cancelled = 0

    func begin(_ beginning: ManagerLink<HTTP2ClientTransport.Posix>.Beginning) {
      all.append(beginning)
    }

    func cancel() { cancelled += 1 }

    func reach(_ count: Int) async throws {
      while all.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }

    func reach(cancelled count: Int) async throws {
      while cancelled < count { try await Task.sleep(for: .milliseconds(2)) }
    }
  }

  /// A manager whose health is as the test says.
  private final class Manager: Sendable {
    let socket: String
    let isServing = Mutex(true)

    init(_ folder: String) { socket = folder + "/manager.sock" }

    func serve(_ body: () async throws -> Void) async throws {
      let server = GRPCServer(
        transport: .http2NIOPosix(
          address: .unixDomainSocket(path: socket), transportSecurity: .plaintext),
        services: [HealthService { self.isServing.withLock(\.self) }])
      let task = Task { try await server.serve() }
      _ = try await server.listeningAddress
      try await body()
      task.cancel()
      _ = await task.result
      try? FileManager.default.removeItem(atPath: socket)
    }
  }

  @Test func whatIsToldDoesNotKeepTheHealthFromBeingFollowed() async throws {
    let folder = try TemporaryFolder("link")
    let manager = Manager(folder.path)
    let client = GRPCClient(
      transport: try HTTP2ClientTransport.Posix.http2NIOPosix(
        target: .unixDomainSocket(path: manager.socket, authority: "localhost"),
        transportSecurity: .plaintext))
    let link = ManagerLink(
      client, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    let beginnings = Beginnings()
    let connections = Task { try await client.runConnections() }
    let following = Task {
      await link.follow { beginning in
        await beginnings.begin(beginning)
        // Pods are walked through for as long as the manager serves.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        await beginnings.cancel()
      }
    }
    try await manager.serve {
      try await beginnings.reach(1)
      #expect(link.isServing)
      manager.isServing.withLock { $0 = false }
      while link.isServing { try await Task.sleep(for: .milliseconds(2)) }
      try await beginnings.reach(cancelled: 1)
      // The same process again.
      manager.isServing.withLock { $0 = true }
      try await beginnings.reach(2)
    }
    // It goes away, and another one comes.
    while link.isServing { try await Task.sleep(for: .milliseconds(2)) }
    try await beginnings.reach(cancelled: 2)
    try await manager.serve {
      try await beginnings.reach(3)
      #expect(await beginnings.all == [.anew, .again, .anew])
      following.cancel()
      await following.value
      #expect(await beginnings.cancelled == 3)
    }
    connections.cancel()
    withExtendedLifetime(folder) {}
  }
}
