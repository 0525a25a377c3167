#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory that ends where a page begins that nobody may read: a read past the
/// end of a frame in it kills the test.
final class GuardedMemory {
  private let base: UnsafeMutableRawPointer
  private let page: Int

  init() {
    page = Int(sysconf(Int32(_SC_PAGESIZE)))
    base = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    precondition(mprotect(base + page, page, PROT_NONE) == 0)
  }

  deinit { munmap(base, 2 * page) }

  /// The bytes, ending at the guard.
  func place(_ bytes: [UInt8]) -> UnsafeRawPointer {
    let start = base + page - bytes.count
    for (i, byte) in bytes.enumerated() {
      start.storeBytes(of: byte, toByteOffset: i, as: UInt8.self)
    }
    return UnsafeRawPointer(start)
  }
}
