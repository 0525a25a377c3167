import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file descriptor that is closed with the last reference to it, or before.
final class FileDescriptor: Sendable {
  let number: Int32
  private let isOpen = Atomic(true)

  init(_ number: Int32) { self.number = number }

  deinit { closeNow() }

  /// Closes it when nobody uses the number any more.
  func closeNow() {
    if isOpen.exchange(false, ordering: .relaxed) { close(number) }
  }
}
