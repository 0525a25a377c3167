import NIOCore
import NIOHTTP1

/// One connection: answers the first request and ends.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    /// No request yet.
    case waiting
    /// The answer is being made.
    case asked
    /// What comes now is not looked at.
    case answered
  }

  /// For a client to read the answer, before the connection is cut.
  private static let parting = TimeAmount.seconds(1)

  private let pages: HTTPServer.Pages
  private let limits: HTTPServer.Limits
  private let isOneTooMany: Bool
  private var state = State.waiting
  private var deadlines: [Scheduled<Void>] = []

  init(_ pages: HTTPServer.Pages, _ limits: HTTPServer.Limits, isOneTooMany: Bool) {
    self.pages = pages
    self.limits = limits
    self.isOneTooMany = isOneTooMany
  }

  func channelActive(context: ChannelHandlerContext) {
    guard !isOneTooMany else {
      return answer(
        context,
        .text(
          "there are \(limits.connections) connections already; close some, and ask again",
          .serviceUnavailable))
    }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    deadlines = [
      context.eventLoop.scheduleTask(in: TimeAmount(limits.request)) {
        let (connection, context) = bound.value
        guard case .waiting = connection.state else { return }
        connection.answer(context, .text("the request did not come in time", .requestTimeout))
      },
      context.eventLoop.scheduleTask(in: TimeAmount(limits.connection)) {
        bound.value.1.close(promise: nil)
      },
    ]
  }

  func channelInactive(context: ChannelHandlerContext) {
    for deadline in deadlines { deadline.cancel() }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .waiting = state, case .head(let head) = unwrapInboundIn(data) else { return }
    guard head.method == .GET || head.method == .HEAD else {
      return answer(context, .text("\(head.method) is not served; use GET", .methodNotAllowed))
    }
    let path = String(head.uri.prefix { $0 != "?" })
    guard let page = pages[path] else {
      let known = pages.keys.sorted().joined(separator: ", ")
      return answer(context, .text("there is no such page; ask for \(known)", .notFound))
    }
    state = .asked
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let (loop, isHead) = (context.eventLoop, head.method == .HEAD)
    let request = HTTPRequest(head, from: context.remoteAddress)
    Task {
      let result = await page(request)
      loop.execute {
        let (connection, context) = bound.value
        guard context.channel.isActive else { return }
        connection.answer(context, result, withBody: !isHead)
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard let event = event as? ChannelEvent, event == .inputClosed else {
      return context.fireUserInboundEventTriggered(event)
    }
    // One that is asked for may still be read.
    if case .asked = state { return }
    context.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What is no HTTP was answered by the handler before.
    context.close(promise: nil)
  }

  /// Writes a whole answer, and ends the connection.
  private func answer(
    _ context: ChannelHandlerContext, _ answer: HTTPAnswer, withBody: Bool = true
  ) {
    state = .answered
    let body = ByteBuffer(string: answer.body)
    var head = HTTPResponseHead(version: .http1_1, status: answer.status)
    head.headers = [
      "content-type": answer.contentType, "content-length": "\(body.readableBytes)",
      "cache-control": "no-store", "x-content-type-options": "nosniff", "connection": "close",
    ]
    if let readers = answer.readers {
      head.headers.add(name: "access-control-allow-origin", value: readers)
      head.headers.add(name: "vary", value: "origin")
    }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if withBody { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      // A socket that is closed with bytes unread takes the answer back.
      channel.close(mode: .output, promise: nil)
      channel.eventLoop.scheduleTask(in: Self.parting) { channel.close(promise: nil) }
    }
  }
}
