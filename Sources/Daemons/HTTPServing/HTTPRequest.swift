import NIOCore
import NIOHTTP1

/// What a page may want to know of a request.
public struct HTTPRequest: Hashable, Sendable {
  /// The page in a browser that asks, if it is another one's, such as `http://127.0.0.1:9560`.
  public var origin: String?
  /// Whether the client is on this machine and calls it so. By that, a page of the world that
  /// gave its own name this machine's address is not taken for one.
  public var isLocal: Bool

  public init(origin: String? = nil, isLocal: Bool = false) {
    self.origin = origin
    self.isLocal = isLocal
  }

  init(_ head: HTTPRequestHead, from address: SocketAddress?) {
    origin = head.headers.first(name: "origin")
    isLocal = Self.isLoopback(address) && Self.isLoopback(host: head.headers.first(name: "host"))
  }

  /// Whether the page that asks is of this machine, so that its reader may have what it gets.
  public var isFromLocalPage: Bool {
    guard let origin, let range = origin.range(of: "://") else { return false }
    return Self.isLoopback(host: String(origin[range.upperBound...]))
  }

  private static func isLoopback(_ address: SocketAddress?) -> Bool {
    switch address {
    case .v4: address?.ipAddress?.hasPrefix("127.") ?? false
    case .v6: ["::1", "::ffff:127.0.0.1"].contains(address?.ipAddress)
    // Who may open the socket is decided by its permissions.
    case .unixDomainSocket: true
    case nil: false
    }
  }

  private static func isLoopback(host: String?) -> Bool {
    guard let host else { return false }
    let isNumbered = host.last != "]" && host.contains(":")
    let name = isNumbered ? String(host[..<(host.lastIndex(of: ":") ?? host.endIndex)]) : host
    return ["localhost", "127.0.0.1", "[::1]"].contains(name)
  }
}
