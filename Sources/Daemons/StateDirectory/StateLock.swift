import Glibc

/// Keeps two processes from using one state folder.
public final class StateLock {
  private let descriptor: Int32

  public init(_ directory: StateDirectory) throws {
    let path = directory.path + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      if descriptor >= 0 { close(descriptor) }
      throw StateLockError(path: directory.path)
    }
  }

  deinit { close(descriptor) }
}

struct StateLockError: Error, CustomStringConvertible {
  var path: String
  var description: String {
    "\(path) is used by another process; stop it, or choose another folder"
  }
}
