import Glibc

/// A file of log lines, of bounded size. Others may remove it, move it or cut it off at any
/// time: the next line is in a file of that name again.
struct LogFile: ~Copyable {
  /// Why lines cannot be written; `description` says what to do.
  struct Failure: Error, Hashable, CustomStringConvertible {
    var description: String
  }

  private let path: String
  private let maximum: Int
  private let kept: Int
  private var descriptor: Int32 = -1
  /// Whether a line was cut off by a full disk.
  private var isWithinLine = false

  /// Nothing is opened yet.
  ///
  /// - Parameters:
  ///   - maximum: bytes of the file; a longer line is written all the same.
  ///   - kept: files `PATH.1` (the latest) to `PATH.kept`.
  init(_ path: String, maximum: Int, kept: Int) {
    self.path = path
    self.maximum = maximum
    self.kept = kept
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether standard error is this file, so that whoever started the program sees each line
  /// there already.
  private(set) var isStandardError = false

  /// Writes whole lines, or as much of them as there is room for.
  mutating func append(_ lines: [UInt8]) throws(Failure) {
    try open()
    if let size = status(descriptor)?.st_size, size > 0, size + lines.count > maximum {
      try rotate()
    }
    try write(isWithinLine ? [UInt8(ascii: "\n")] + lines : lines)
  }

  /// Opens it when it is not open, or no longer the file of that name.
  private mutating func open() throws(Failure) {
    if descriptor >= 0 {
      var named = stat()
      if let own = status(descriptor), stat(path, &named) == 0, own.isSame(as: named) { return }
      forget()
    }
    // Not the world: it tells who talks to whom.
    descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
    guard descriptor >= 0 else { throw failure("cannot be opened") }
    guard let own = status(descriptor), own.st_mode & S_IFMT == S_IFREG else {
      forget()
      throw Failure(description: "\(path): is no file; name another in LogFile")
    }
    isWithinLine = false
    if let standard = status(STDERR_FILENO), standard.isSame(as: own) { isStandardError = true }
    // What a crash says goes where the lines go.
    if isStandardError { dup2(descriptor, STDERR_FILENO) }
  }

  private mutating func forget() {
    close(descriptor)
    descriptor = -1
  }

  private mutating func rotate() throws(Failure) {
    // The name may be a link into a folder that is the user's own.
    guard let target = realpath(path, nil) else { throw failure("cannot be found") }
    defer { free(target) }
    let name = String(cString: target)
    for i in stride(from: kept - 1, through: 1, by: -1) {
      rename("\(name).\(i)", "\(name).\(i + 1)")
    }
    if kept > 0 ? rename(name, name + ".1") == 0 : unlink(name) == 0 {
      try open()
    } else {
      let failure = failure("cannot be rotated, and was cut off")
      ftruncate(descriptor, 0)
      throw failure
    }
  }

  private mutating func write(_ bytes: [UInt8]) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let failure = failure("cannot be written")
        if done > 0 { isWithinLine = true }
        throw failure
      }
      done += count
    }
    isWithinLine = false
  }

  private func failure(_ what: String) -> Failure {
    let number = errno
    let cure =
      switch number {
      case ENOSPC, EDQUOT: "make room on that disk"
      case ENOENT, ENOTDIR: "make the folder, or name another file in LogFile"
      case EACCES, EPERM:
        "give the folder to user \(geteuid()), or name another file in LogFile"
      case EROFS: "mount a volume there that can be written, or name another file in LogFile"
      default: "name another file in LogFile"
      }
    return Failure(description: "\(path): \(what): \(String(cString: strerror(number))); \(cure)")
  }

  private func status(_ descriptor: Int32) -> stat? {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? status : nil
  }
}

extension stat {
  fileprivate func isSame(as other: stat) -> Bool {
    st_dev == other.st_dev && st_ino == other.st_ino
  }
}
