import Foundation
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// How clients find the server, and find it again.
@Suite struct ServerNamesTests {
  /// What accepts connections, says nothing beyond HTTP/2's first frame, and breaks them when told.
  private final class Mute: Sendable {
    private let channels = Mutex<[any Channel]>([])
    private let accepted = Atomic(0)
    private let listening: any Channel
    let port: Int

    /// An empty SETTINGS frame (RFC 9113, section 6.5): the server's preface.
    private static let preface: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

    init() async throws {
      let opened = AsyncStream<any Channel>.makeStream()
      listening = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelInitializer { channel in
          opened.continuation.yield(channel)
          return channel.eventLoop.makeSucceededVoidFuture()
        }
        .bind(host: "127.0.0.1", port: 0).get()
      port = listening.localAddress?.port ?? 0
      let stream = opened.stream
      Task { [self] in
        for await channel in stream {
          try? await channel.writeAndFlush(ByteBuffer(bytes: Self.preface))
          channels.withLock { $0.append(channel) }
          accepted.add(1, ordering: .relaxed)
        }
      }
    }

    var open: Int { channels.withLock { $0.filter(\.isActive).count } }

    func untilAccepted(_ count: Int) async throws {
      while accepted.load(ordering: .relaxed) < count {
        try await Task.sleep(for: .milliseconds(10))
      }
    }

    /// As a server that is killed.
    func breakAll() async throws {
      for channel in channels.withLock(\.self) where channel.isActive { try await channel.close() }
    }

    func stop() async throws {
      try await listening.close()
      try await breakAll()
    }
  }

  /// A broken connection is made again once, by whatever name the server goes.
  @Test(.timeLimit(.minutes(2)), arguments: ["127.0.0.1", "localhost"])
  func oneConnectionTakesThePlaceOfOne(_ host: String) async throws {
    let server = try await Mute()
    var options = Infrap4dOptions()
    options.address = .tcp(host: host, port: server.port)
    options.security = .plaintext
    let client = GRPCClient(transport: try options.transport())
    let connections = Task { try await client.runConnections() }
    // Nobody connects again for nothing.
    let calls = Task {
      while !Task.isCancelled {
        var call = CallOptions.defaults
        call.waitForReady = true
        _ = try? await Gnmi_gNMI.Client(wrapping: client).capabilities(.init(), options: call)
      }
    }
    for round in 1...3 {
      try await server.untilAccepted(round)
      // Longer than the longest pause between two attempts.
      try await Task.sleep(for: options.backoff.upperBound * 3)
      #expect(server.open == 1, "after \(round - 1) losses")
      try await server.breakAll()
    }
    calls.cancel()
    client.beginGracefulShutdown()
    try await server.stop()
    try await connections.value
  }
}
