import InfraProtos
import Logging
import NIOCore
import NIOPosix
import Serving
import StateDirectory
import Synchronization

/// Where Calico's Felix tells its dataplane of policies: a Unix socket. Every connection is
/// served; its messages go to the Infra Manager, one after the other.
///
/// When the manager does not take one, the connection is closed: Felix comes again and
/// tells everything from the beginning. What it does not tell any more is removed then.
public struct FelixServer: Sendable {
  private let path: String
  private let logger: Logger
  private let sync: FelixSync
  private let open = OpenChannels()

  /// - Parameters:
  ///   - directory: where it is kept what the manager may know; nil: nowhere.
  ///   - forward: called with each message for the manager.
  public init(
    path: String, directory: StateDirectory? = nil, logger: Logger,
    forward: @escaping @Sendable (Felix_ToDataplane) async throws -> Void
  ) {
    self.path = path
    self.logger = logger
    sync = FelixSync(directory, logger, forward)
  }

  /// Makes Felix tell everything again, because the manager may have forgotten it: hangs up.
  public func restart() {
    let count = open.closePresent()
    if count > 0 { logger.info("Felix is hung up on: it shall tell the manager everything") }
  }

  /// Serves until the task is cancelled, and closes all connections then.
  ///
  /// - Throws: ``ListenError`` while another program listens there.
  public func serve(onListening: @Sendable () -> Void = {}) async throws {
    try ListenAddress.unix(path).checkIsFree(setting: "felixSocket")
    let (open, sync, logger) = (open, sync, logger)
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          open.add(channel)
          let handlers = channel.pipeline.syncOperations
          try handlers.addHandler(ByteToMessageHandler(FelixFrame()))
          try handlers.addHandler(FelixHandler(sync, logger))
        }
      }
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    onListening()
    try await withTaskCancellationHandler {
      try await server.closeFuture.get()
    } onCancel: {
      server.close(promise: nil)
      open.closeAll()
    }
  }
}

/// One connection: hands its messages on in their order, and reads no more than it hands on.
private final class FelixHandler: ChannelInboundHandler {
  typealias InboundIn = Felix_ToDataplane

  private let sync: FelixSync
  private let logger: Logger
  private let messages: AsyncStream<Felix_ToDataplane>
  private let take: AsyncStream<Felix_ToDataplane>.Continuation
  private let waiting = WaitingMessages()

  init(_ sync: FelixSync, _ logger: Logger) {
    self.sync = sync
    self.logger = logger
    (messages, take) = AsyncStream.makeStream()
  }

  func channelActive(context: ChannelHandlerContext) {
    logger.info("Felix has connected")
    let channel = context.channel
    let messages = messages
    let waiting = waiting
    let sync = sync
    let logger = logger
    Task { await hand(messages, waiting, to: sync, of: channel, logger) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    take.yield(unwrapInboundIn(data))
    if waiting.count.add(1, ordering: .relaxed).newValue == WaitingMessages.most {
      context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
    }
  }

  func channelInactive(context: ChannelHandlerContext) { take.finish() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.warning("Felix is hung up on", metadata: ["reason": "\(error)"])
    context.close(promise: nil)
  }
}

/// How many messages of a connection wait.
private final class WaitingMessages: Sendable {
  /// With more, nothing is read.
  static let most = 1024
  let count = Atomic<Int>(0)
}

/// Hands messages on until the connection ends, or somebody does not take one.
private func hand(
  _ messages: AsyncStream<Felix_ToDataplane>, _ waiting: WaitingMessages,
  to sync: FelixSync, of channel: any Channel, _ logger: Logger
) async {
  let connection = await sync.begin()
  do {
    var next = messages.makeAsyncIterator()
    while let message = await next.next() {
      try await sync.take(message, from: connection)
      let count = waiting.count.subtract(1, ordering: .relaxed).newValue
      if count == WaitingMessages.most / 2 {
        channel.setOption(.autoRead, value: true).whenComplete { _ in }
      }
    }
    logger.info("Felix has hung up")
  } catch {
    logger.warning("Felix is hung up on", metadata: ["reason": "\(error)"])
    channel.close(promise: nil)
  }
  await sync.end(connection)
}
