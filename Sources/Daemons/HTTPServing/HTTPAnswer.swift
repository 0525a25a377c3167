import NIOHTTP1

/// What a page answers.
public struct HTTPAnswer: Hashable, Sendable {
  public var status: HTTPResponseStatus
  public var contentType: String
  public var body: String
  /// Another one's page whose scripts may read this; nil for none.
  public var readers: String?

  public init(_ contentType: String, _ body: String, _ status: HTTPResponseStatus = .ok) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  public static func text(_ line: String, _ status: HTTPResponseStatus = .ok) -> HTTPAnswer {
    HTTPAnswer("text/plain; charset=utf-8", line + "\n", status)
  }

  public static func json(_ text: String, _ status: HTTPResponseStatus = .ok) -> HTTPAnswer {
    HTTPAnswer("application/json", text, status)
  }
}
