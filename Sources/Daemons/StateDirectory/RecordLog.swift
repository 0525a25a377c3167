import Foundation
import Glibc

/// A file of records that grows: what a daemon did, for its next start.
///
/// Appended records reach the kernel before ``append(kind:_:)`` returns, so that they
/// survive the death of the process. One owner at a time.
///
/// Once a record is lost, to a full disk, the log takes no other until it has been replaced:
/// what comes after a hole does not fit what is before it.
public final class RecordLog {
  public struct Record {
    public var kind: UInt8
    public var payload: Data
    public init(kind: UInt8, payload: Data) {
      self.kind = kind
      self.payload = payload
    }
  }

  /// Bytes that it may always have: thousands of Services are told of in less.
  private static let shortest = 1 << 24

  private let directory: StateDirectory
  private let name: String
  private var descriptor: Int32 = -1
  /// Bytes since the log was last replaced, and of what it was replaced with.
  private var appended = 0
  private var base = 0
  /// Whether a record is missing that came after those of the file.
  public private(set) var isIncomplete = false

  public init(_ directory: StateDirectory, _ name: String) {
    self.directory = directory
    self.name = name
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// What is in the file.
  public func read() -> [Record] {
    directory.records(name).map { Record(kind: $0.kind, payload: $0.payload) }
  }

  /// Replaces everything.
  ///
  /// - Parameter isDurable: as of ``StateDirectory/replace(_:with:isDurable:)``.
  public func replace(
    with records: [Record], isDurable: Bool = true
  ) throws(StateDirectoryError) {
    var bytes = Data()
    for record in records {
      bytes.append(CheckedRecord(kind: record.kind, payload: record.payload).bytes)
    }
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    isIncomplete = true
    try directory.replace(name, with: bytes, isDurable: isDurable)
    isIncomplete = false
    base = bytes.count
    appended = 0
  }

  /// - Returns: whether the log should be replaced, because it has become long or lacks a
  ///   record; then this one may lack, too.
  /// - Throws: ``StateDirectoryError`` when the record is not in the file.
  public func append(kind: UInt8, _ payload: Data) throws(StateDirectoryError) -> Bool {
    guard !isIncomplete else { return true }
    let path = directory.file(name)
    if descriptor < 0 {
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        isIncomplete = true
        throw StateDirectoryError(path, StateDirectory.reason())
      }
    }
    let bytes = CheckedRecord(kind: kind, payload: payload).bytes
    let length = lseek(descriptor, 0, SEEK_END)
    do throws(StateDirectoryError) {
      try StateDirectory.write(bytes, to: descriptor, path)
    } catch {
      // Leave no half record: it would be reported as one that was cut short.
      isIncomplete = true
      if length >= 0 { ftruncate(descriptor, length) }
      throw error
    }
    appended += bytes.count
    return appended > max(base * 2, Self.shortest)
  }
}
