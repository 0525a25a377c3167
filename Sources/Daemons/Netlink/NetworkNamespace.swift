import CNetlink
import Glibc

/// A network namespace, kept alive as long as this is.
public final class NetworkNamespace: Sendable {
  /// Tells namespaces apart that have, one after the other, the same path. The kernel
  /// may give the numbers of a namespace that is gone to a new one.
  public struct Identity: Hashable, Sendable, Codable {
    public var device: UInt64
    public var inode: UInt64
  }

  public let path: String
  public let identity: Identity
  private let file: FileDescriptor

  var descriptor: Int32 { file.number }

  /// That of this process.
  public static func current() throws(NetlinkError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/self/ns/net")
  }

  /// - Throws: ``NetlinkError``: ENOENT when nothing is there, EINVAL when it is something
  ///   else than a network namespace.
  public init(path: String) throws(NetlinkError) {
    let number = cnl_namespace_open(path)
    guard number >= 0 else { throw NetlinkError(-number, "open namespace", path) }
    file = FileDescriptor(number)
    self.path = path
    var status = stat()
    guard fstat(number, &status) == 0 else { throw NetlinkError(errno, "open namespace", path) }
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// Calls the function on a thread of its own in the namespace, and waits for it.
  public func run<Value>(_ body: () throws -> Value) throws -> Value {
    var outcome: Result<Value, any Error>?
    let status = withoutActuallyEscaping(body) { body in
      var call = { outcome = Result { try body() } }
      return withUnsafeMutablePointer(to: &call) { pointer in
        cnl_namespace_call(
          descriptor,
          { argument in
            argument?.load(as: (() -> Void).self)()
            return 0
          }, pointer)
      }
    }
    guard let outcome else { throw NetlinkError(-status, "enter namespace", path) }
    return try outcome.get()
  }
}
