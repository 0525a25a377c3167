import NIOCore
import NIOSSL

/// Closes a connection whose client does not come to HTTP/2, which begins with bytes of the
/// client's, in time: it shall not keep the place of another.
final class FirstBytes: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  /// With the handshake of TLS.
  static let patience = TimeAmount.seconds(10)

  private var timer: Scheduled<Void>?

  /// Call on the channel's event loop.
  static func expect(on pipeline: ChannelPipeline.SynchronousOperations) throws {
    do {
      let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
      try pipeline.addHandler(FirstBytes(), position: .after(tls))
    } catch ChannelPipelineError.notFound {
      try pipeline.addHandler(FirstBytes(), position: .first)
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.fireChannelRead(data)
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
