import Foundation
import Glibc
import Logging

/// The folder in which a daemon keeps what must survive it.
///
/// A file is replaced whole, by a rename, or grows by whole records. What is read is
/// checked; a damaged file is put aside under another name and reported once, so that
/// the next start is a clean one.
public struct StateDirectory: Sendable {
  public let path: String
  private let logger: Logger

  /// Makes the folder, for this user only, if it is not there.
  ///
  /// - Throws: ``StateDirectoryError``.
  public init(_ path: String, logger: Logger) throws(StateDirectoryError) {
    self.path = path
    self.logger = logger
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw StateDirectoryError(path, "cannot be made: \(error.localizedDescription)")
    }
    guard access(path, R_OK | W_OK | X_OK) == 0 else {
      throw StateDirectoryError(path, "cannot be written; check its owner and permissions")
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file whole, or not at all. What it held is gone only when the new
  /// content is on disk.
  ///
  /// - Parameter isDurable: false spares the disk: the content survives the process, not a
  ///   crash of the machine.
  public func replace(
    _ name: String, with bytes: Data, isDurable: Bool = true
  ) throws(StateDirectoryError) {
    let target = file(name)
    let fresh = target + ".new"
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StateDirectoryError(fresh, Self.reason()) }
    defer { close(descriptor) }
    do throws(StateDirectoryError) {
      try Self.write(bytes, to: descriptor, fresh)
      guard !isDurable || fsync(descriptor) == 0, rename(fresh, target) == 0 else {
        throw StateDirectoryError(target, Self.reason())
      }
    } catch {
      // The disk may be full.
      unlink(fresh)
      throw error
    }
    guard isDurable else { return }
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Adds to the end of a file, which is made if it is not there. It survives the process, not a
  /// crash of the machine; of a process that is killed meanwhile, or on a full disk, a part may
  /// be there.
  ///
  /// - Throws: ``StateDirectoryError``, with what the system says of it.
  public func append(_ bytes: Data, to name: String) throws(StateDirectoryError) {
    let path = file(name)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StateDirectoryError(path, Self.reason()) }
    defer { close(descriptor) }
    try Self.write(bytes, to: descriptor, path)
  }

  /// The records of a file; none if it is not there.
  ///
  /// A last record that is cut short is left out and removed from the file.
  func records(_ name: String) -> [CheckedRecord] {
    guard let data = FileManager.default.contents(atPath: file(name)) else { return [] }
    var records: [CheckedRecord] = []
    var offset = 0
    while offset < data.count {
      switch CheckedRecord.read(data, at: offset) {
      case .record(let record, let next):
        records.append(record)
        offset = next
      case .cutShort:
        logger.warning(
          "the last record was cut short and is left out", metadata: ["file": "\(file(name))"])
        truncate(file(name), off_t(offset))
        return records
      case .damaged:
        setAside(name, "record \(records.count + 1) is damaged")
        return []
      }
    }
    return records
  }

  /// Renames a file that cannot be used, so that nobody trips over it twice.
  public func setAside(_ name: String, _ why: String) {
    let aside = file(name) + ".damaged"
    _ = rename(file(name), aside)
    logger.error(
      "state cannot be used; starting without it",
      metadata: ["file": "\(file(name))", "reason": "\(why)", "kept_as": "\(aside)"])
  }

  static func write(
    _ bytes: Data, to descriptor: Int32, _ path: String
  ) throws(StateDirectoryError) {
    var failure: String?
    bytes.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) in
      var rest = buffer[...]
      while let start = rest.baseAddress, !rest.isEmpty {
        let count = Glibc.write(descriptor, start, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          failure = reason()
          return
        }
        rest = rest.dropFirst(count)
      }
    }
    if let failure { throw StateDirectoryError(path, failure) }
  }

  static func reason() -> String { String(cString: strerror(errno)) }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate var baseAddress: UnsafeRawPointer? {
    UnsafeRawBufferPointer(rebasing: self).baseAddress
  }
}

/// Why state could not be kept.
public struct StateDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
  public var path: String
  public var message: String
  init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }
  public var description: String { "\(path): \(message)" }
}
