#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a system call answered.
struct KernelError: Error, CustomStringConvertible {
  var errno: Int32

  /// - Parameter result: 0 or more, or a negative errno.
  @discardableResult
  static func check(_ result: Int32) throws(KernelError) -> Int32 {
    guard result < 0 else { return result }
    throw KernelError(errno: -result)
  }

  var description: String { String(cString: strerror(errno)) }
}
