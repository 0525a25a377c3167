import Foundation
import Glibc

/// Sockets in the file system. The file of one outlives the program that listened there, so
/// whoever comes next takes its place; it must not take that of one who listens.
enum UnixSocket {
  /// Whether somebody accepts connections there.
  static func isListening(_ path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    // A queue that is full would let a connection wait.
    let descriptor = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 || [EAGAIN, EACCES].contains(errno)
  }
}

extension ListenAddress {
  /// Refuses a Unix socket that somebody listens at. Of other addresses the kernel does.
  ///
  /// - Throws: ``ListenError``.
  public func checkIsFree(setting: String = "--listen") throws(ListenError) {
    if case .unix(let path) = self, UnixSocket.isListening(path) {
      throw ListenError(address: self, reason: "in use", setting: setting)
    }
  }
}
