import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import Logging
import NIOCore
import Synchronization

/// One listening address with the services on it.
public struct Listener: Sendable {
  public let address: ListenAddress
  private let server: GRPCServer<HTTP2ServerTransport.Posix>
  private let mode: UInt32
  private let progress = ListenerProgress()

  /// - Parameters:
  ///   - mode: permissions of a Unix socket.
  ///   - maximumConnections: further ones are closed at once, as are those that do not begin.
  public init(
    _ address: ListenAddress, security: HTTP2ServerTransport.Posix.TransportSecurity,
    services: [any RegistrableRPCService], mode: UInt32, maximumConnections: Int,
    maximumRequestBytes: Int
  ) {
    self.address = address
    self.mode = mode
    let gate = ConnectionGate(maximumConnections)
    let config = HTTP2ServerTransport.Posix.Config.defaults { config in
      config.rpc.maxRequestPayloadSize = maximumRequestBytes
      config.http2.maxConcurrentStreams = 128
      // Streams that clients keep open do not keep the server from stopping.
      config.connection.maxGraceTime = .seconds(2)
      config.connection.keepalive.time = .seconds(60)
      config.connection.keepalive.timeout = .seconds(20)
      config.connection.keepalive.clientBehavior.allowWithoutCalls = true
      config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .seconds(10)
      config.channelDebuggingCallbacks.onAcceptTCPConnection = { gate.admit($0) }
    }
    let transport: HTTP2ServerTransport.Posix
    switch address {
    case .ipv4(let host, let port):
      transport = .http2NIOPosix(
        address: .ipv4(host: host, port: port), transportSecurity: security, config: config)
    case .ipv6(let host, let port):
      transport = .http2NIOPosix(
        address: .ipv6(host: host, port: port), transportSecurity: security, config: config)
    case .unix(let path):
      // Who may open the socket is decided by its permissions.
      transport = .http2NIOPosix(
        address: .unixDomainSocket(path: path), transportSecurity: .plaintext, config: config)
    }
    server = GRPCServer(transport: transport, services: services)
  }

  /// Serves until ``stop()``, or until its task is cancelled.
  ///
  /// - Parameter onListening: called with the address when clients can connect.
  public func serve(onListening: @escaping @Sendable (String) -> Void) async throws {
    try address.checkIsFree()
    // A server that is cancelled while it begins to listen ends the process ("Deinited
    // NIOAsyncWriter"): it is only ever told to stop.
    let serving = Task { try await server.serve() }
    let beginning = Task {
      guard let bound = try? await server.listeningAddress else { return }
      if case .unix(let path) = address { chmod(path, mode) }
      guard progress.begin() else { return server.beginGracefulShutdown() }
      onListening("\(bound)")
    }
    try await withTaskCancellationHandler {
      try await serving.value
      await beginning.value
    } onCancel: {
      stop()
    }
  }

  public func stop() {
    if progress.end() { server.beginGracefulShutdown() }
  }
}

/// Whether a listener listens, and shall: a server that is told to stop while it begins to listen
/// would listen for ever.
private final class ListenerProgress: Sendable {
  private let state = Mutex((listens: false, ends: false))

  /// - Returns: whether it shall go on.
  func begin() -> Bool {
    state.withLock {
      $0.listens = true
      return !$0.ends
    }
  }

  /// - Returns: whether it listens already, and so can be stopped.
  func end() -> Bool {
    state.withLock {
      $0.ends = true
      return $0.listens
    }
  }
}

/// Counts the connections of a listener and closes those that are too many.
private final class ConnectionGate: Sendable {
  private let maximum: Int
  private let open = Atomic<Int>(0)

  init(_ maximum: Int) { self.maximum = maximum }

  func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
    guard open.add(1, ordering: .relaxed).newValue <= maximum else {
      open.subtract(1, ordering: .relaxed)
      channel.close(promise: nil)
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    channel.closeFuture.whenComplete { [self] _ in open.subtract(1, ordering: .relaxed) }
    return channel.eventLoop.makeCompletedFuture {
      try FirstBytes.expect(on: channel.pipeline.syncOperations)
    }
  }
}
