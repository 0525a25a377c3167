import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension FileHandle {
  /// Opens a file for writing from its beginning, and makes it unless it is there.
  ///
  /// What is there is written to, and not replaced as Foundation does it: it may be a device, a pipe
  /// or a link.
  public static func output(_ path: String) throws(ReplayError) -> FileHandle {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ReplayError(
        path,
        "cannot be written: \(String(cString: strerror(errno))); check the folder and its "
          + "permissions")
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
