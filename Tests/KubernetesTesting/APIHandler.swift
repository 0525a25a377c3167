import Foundation
import NIOCore
import NIOHTTP1

/// One connection of a stand-in API server.
final class APIHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let store: ObjectStore

  init(_ store: ObjectStore) { self.store = store }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    guard head.headers["authorization"] == ["Bearer \(store.token.withLock(\.self))"] else {
      return answer(
        context, .unauthorized, "{\"kind\":\"Status\",\"code\":401,\"message\":\"Unauthorized\"}")
    }
    let components = URLComponents(string: head.uri)
    let query = Dictionary(
      (components?.queryItems ?? []).map { ($0.name, $0.value ?? "") }
    ) { $1 }
    let path = components?.path ?? ""
    let name = query["fieldSelector"].map { String($0.dropFirst("metadata.name=".count)) }
    if query["watch"] == "1" {
      let version = Int(query["resourceVersion"] ?? "") ?? 0
      if !store.watch(path, name: name, from: version, context.channel) {
        answer(context, .gone, ObjectStore.gone)
      }
      return
    }
    guard
      let list = store.list(
        path, name: name, limit: Int(query["limit"] ?? "") ?? .max, from: query["continue"])
    else { return answer(context, .gone, ObjectStore.gone) }
    answer(context, .ok, list)
  }

  private func answer(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ text: String
  ) {
    var head = HTTPResponseHead(version: .http1_1, status: status)
    head.headers = ["content-length": "\(text.utf8.count)", "content-type": "application/json"]
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
