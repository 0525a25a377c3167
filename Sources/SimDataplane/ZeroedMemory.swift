#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A large block of zeroed memory that costs nothing until it is touched, on
/// huge pages where the system has them: flows are looked up all over it, and
/// a TLB miss would cost more than the look-up.
struct ZeroedMemory: ~Copyable {
  let base: UnsafeMutableRawPointer
  private let allocation: UnsafeMutableRawPointer
  private static var alignment: Int { 2 << 20 }

  init(bytes: Int) {
    guard let allocation = calloc(bytes + Self.alignment, 1) else {
      fatalError("no memory for \(bytes) bytes: make the table smaller")
    }
    self.allocation = allocation
    let address = UInt(bitPattern: allocation)
    let padding = (UInt(Self.alignment) - address % UInt(Self.alignment)) % UInt(Self.alignment)
    base = allocation + Int(padding)
    #if os(Linux)
      // Only advice: without huge pages everything works, slower.
      let hugePages: Int32 = 14  // MADV_HUGEPAGE, linux/mman-common.h
      _ = madvise(base, bytes, hugePages)
    #endif
  }

  deinit { free(allocation) }
}
