import InfraProtos
import Logging
import NIOCore
import NIOPosix

/// Where Calico's Felix tells its dataplane of policies: a Unix socket. Every connection is
/// served; its messages go to the Infra Manager, one after the other.
///
/// When the manager does not take one, the connection is closed: Felix comes again and
/// tells everything from the beginning.
public struct FelixServer: Sendable {
  private let path: String
  private let forward: @Sendable (Felix_ToDataplane) async throws -> Void
  private let logger: Logger

  /// - Parameter forward: called with each message that came.
  public init(
    path: String, logger: Logger,
    forward: @escaping @Sendable (Felix_ToDataplane) async throws -> Void
  ) {
    self.path = path
    self.forward = forward
    self.logger = logger
  }

  /// Serves until the task is cancelled.
  public func serve(onListening: @Sendable () -> Void = {}) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(FelixFrame()))
          return try NIOAsyncChannel<Felix_ToDataplane, Never>(
            wrappingChannelSynchronously: channel)
        }
      }
    onListening()
    try await server.executeThenClose { connections in
      try await withThrowingDiscardingTaskGroup { group in
        for try await connection in connections {
          group.addTask { await serve(connection) }
        }
      }
    }
  }

  private func serve(_ connection: NIOAsyncChannel<Felix_ToDataplane, Never>) async {
    logger.info("Felix has connected")
    do {
      try await connection.executeThenClose { messages, _ in
        for try await message in messages { try await forward(message) }
      }
      logger.info("Felix has hung up")
    } catch {
      logger.warning("Felix is hung up on", metadata: ["reason": "\(error)"])
    }
  }
}
