/// One place to listen at.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
  case ipv4(String, Int)
  case ipv6(String, Int)
  case unix(String)

  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
      self = .unix(path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      self = .ipv6(String(host.dropFirst().dropLast()), port)
    } else {
      guard !host.contains(":") else { return nil }
      self = .ipv4(
        host.isEmpty ? "0.0.0.0" : host == "localhost" ? "127.0.0.1" : String(host), port)
    }
  }

  /// Whether the port is one that takes CAP_NET_BIND_SERVICE.
  public var isPrivileged: Bool {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port): (1..<1024).contains(port)
    case .unix: false
    }
  }

  public var description: String {
    switch self {
    case .ipv4(let host, let port): "\(host):\(port)"
    case .ipv6(let host, let port): "[\(host)]:\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
