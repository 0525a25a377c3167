import NIOCore
import NIOHTTP1
import NIOPosix

/// `GET /check` over HTTP, which Calico's CNI plugin asks before each pod: 200 when all is
/// well, else 500, with the reasons as JSON.
public final class CheckServer: Sendable {
  /// A condition of being well, and whether it is met.
  public typealias Conditions = [String: Bool]

  private let host: String
  private let port: Int
  private let conditions: @Sendable () async -> Conditions
  private let group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton

  /// - Parameter conditions: asked at each request.
  public init(
    host: String, port: Int, conditions: @escaping @Sendable () async -> Conditions
  ) {
    self.host = host
    self.port = port
    self.conditions = conditions
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter onListening: called with the port.
  public func serve(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
    let conditions = conditions
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(CheckHandler(conditions))
        }
      }
      .bind(host: host, port: port).get()
    onListening(channel.localAddress?.port ?? port)
    try await withTaskCancellationHandler {
      try await channel.closeFuture.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }
}

/// One connection: answers a request and closes.
private final class CheckHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let conditions: @Sendable () async -> CheckServer.Conditions

  init(_ conditions: @escaping @Sendable () async -> CheckServer.Conditions) {
    self.conditions = conditions
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    let path = head.uri.prefix { $0 != "?" }
    guard path == "/check" else {
      return answer(context.channel, .notFound, "{\"error\": \"ask for /check\"}\n")
    }
    let (channel, conditions) = (context.channel, conditions)
    Task {
      let met = await conditions()
      let lines = met.sorted { $0.key < $1.key }.map { "  \"\($0.key)\": \($0.value)" }
      answer(
        channel, met.values.allSatisfy(\.self) ? .ok : .internalServerError,
        "{\n" + lines.joined(separator: ",\n") + "\n}\n")
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

/// Writes a whole answer, and closes the connection.
private func answer(_ channel: any Channel, _ status: HTTPResponseStatus, _ text: String) {
  let body = ByteBuffer(string: text)
  var head = HTTPResponseHead(version: .http1_1, status: status)
  head.headers = [
    "content-type": "application/json", "content-length": "\(body.readableBytes)",
    "connection": "close",
  ]
  channel.write(HTTPServerResponsePart.head(head), promise: nil)
  channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
  channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in
    channel.close(promise: nil)
  }
}
