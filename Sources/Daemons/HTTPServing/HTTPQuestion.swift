import NIOCore
import NIOHTTP1
import NIOPosix
import Serving

/// Asks a page of another program on this machine.
public enum HTTPQuestion {
  public struct Answer: Hashable, Sendable {
    public var status: UInt
    public var body: String
  }

  /// Bytes of an answer at most.
  static let longest = 1 << 20

  /// - Parameter limit: for the connection, and for the answer.
  /// - Throws: when nobody listens, or there is no whole answer within the limit.
  public static func get(
    _ path: String, at address: ListenAddress, within limit: Duration
  ) async throws -> Answer {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: Answer.self)
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(TimeAmount(limit))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(HTTPExchange(path, promise))
        }
      }
    let channel: any Channel
    do {
      channel =
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port):
          try await bootstrap.connect(host: host, port: port).get()
        case .unix(let path):
          try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    } catch {
      promise.fail(error)
      throw error
    }
    let deadline = loop.scheduleTask(in: TimeAmount(limit)) { channel.close(promise: nil) }
    defer { deadline.cancel() }
    return try await promise.futureResult.get()
  }
}

/// One request and its answer.
private final class HTTPExchange: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let path: String
  private let promise: EventLoopPromise<HTTPQuestion.Answer>
  private var status: UInt = 0
  private var body = ByteBuffer()
  private var isDone = false

  init(_ path: String, _ promise: EventLoopPromise<HTTPQuestion.Answer>) {
    self.path = path
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
    head.headers = ["host": "localhost", "connection": "close"]
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = head.status.code
    case .body(var part):
      body.writeBuffer(&part)
      if body.readableBytes > HTTPQuestion.longest { context.close(promise: nil) }
    case .end:
      isDone = true
      promise.succeed(.init(status: status, body: String(buffer: body)))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(ChannelError.eof)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(error)
    context.close(promise: nil)
  }

  private func fail(_ error: any Error) {
    guard !isDone else { return }
    isDone = true
    promise.fail(error)
  }
}
