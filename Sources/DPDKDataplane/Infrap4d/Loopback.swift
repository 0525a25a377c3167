#if canImport(Glibc)
  import Glibc
#endif

/// Looks at ports of this machine.
enum Loopback {
  /// Whether nobody listens at a port of this machine; false of others.
  static func refuses(_ host: String, _ port: Int) -> Bool {
    guard host == "localhost" || host.hasPrefix("127.") else { return false }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
    inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return result != 0 && errno == ECONNREFUSED
  }
}
