import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Serving
import Synchronization

/// Serves a few pages for reading: `/metrics`, `/check` and the like. One request a connection.
public final class HTTPServer: Sendable {
  /// What a path answers; asked at each request.
  public typealias Pages = [String: @Sendable (HTTPRequest) async -> HTTPAnswer]

  /// What one server bears.
  public struct Limits: Sendable {
    /// Connections at a time; further ones are told so. Four times as many, and they are closed.
    public var connections = 64
    /// How long a client may take to send its request.
    public var request = Duration.seconds(10)
    /// How long a connection lives at most.
    public var connection = Duration.seconds(60)
    public init() {}
  }

  private let address: ListenAddress
  private let pages: Pages
  private let limits: Limits
  private let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

  public init(_ address: ListenAddress, limits: Limits = Limits(), pages: Pages) {
    self.address = address
    self.limits = limits
    self.pages = pages
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameters:
  ///   - setting: what names the address, for the error.
  ///   - onListening: called with the address when clients can connect.
  /// - Throws: ``ListenError``.
  public func serve(
    setting: String = "--listen", onListening: @Sendable (ListenAddress) -> Void = { _ in }
  ) async throws {
    let channel: any Channel
    try address.checkIsFree(setting: setting)
    do { channel = try await bind() } catch {
      throw ListenError(address: address, reason: "\(error)", setting: setting)
    }
    onListening(bound(channel))
    try await withTaskCancellationHandler {
      try await channel.closeFuture.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  private func bind() async throws -> any Channel {
    let (pages, limits) = (pages, limits)
    let open = ConnectionCount()
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let count = open.enter()
          channel.closeFuture.whenComplete { _ in open.leave() }
          guard count <= 4 * limits.connections else { return channel.close(promise: nil) }
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false)
          try channel.pipeline.syncOperations.addHandler(
            HTTPConnection(pages, limits, isOneTooMany: count > limits.connections))
        }
      }
    switch address {
    case .ipv4(let host, let port), .ipv6(let host, let port):
      return try await bootstrap.bind(host: host, port: port).get()
    case .unix(let path):
      let channel = try await bootstrap.bind(
        unixDomainSocketPath: path, cleanupExistingSocketFile: true
      ).get()
      // Who may open the socket is decided by its permissions.
      chmod(path, 0o660)
      return channel
    }
  }

  private func bound(_ channel: any Channel) -> ListenAddress {
    let port = channel.localAddress?.port
    return switch address {
    case .ipv4(let host, let asked): .ipv4(host, port ?? asked)
    case .ipv6(let host, let asked): .ipv6(host, port ?? asked)
    case .unix: address
    }
  }
}

/// The connections that a server has.
private final class ConnectionCount: Sendable {
  private let count = Atomic<Int>(0)

  func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
  func leave() { count.subtract(1, ordering: .relaxed) }
}
