import Foundation
import Replay

/// A file of lines that is written line by line.
final class LineFile {
  private static let flushAt = 1 << 18

  private let path: String
  private let file: FileHandle
  private var buffer: [UInt8] = []
  /// Lines behind the first.
  private(set) var count = 0
  private(set) var bytes = 0

  /// - Parameter header: the first line, with its end.
  init(path: String, header: String) throws(ReplayError) {
    self.path = path
    file = try .output(path)
    buffer += header.utf8
  }

  /// - Parameter line: with its end.
  func add(_ line: String) throws(ReplayError) {
    buffer += line.utf8
    count += 1
    if buffer.count >= Self.flushAt { try flush() }
  }

  private func flush() throws(ReplayError) {
    bytes += buffer.count
    do { try file.write(contentsOf: buffer) } catch {
      throw ReplayError(
        path, "cannot be written (\(error.localizedDescription)); is the disk full?")
    }
    buffer.removeAll(keepingCapacity: true)
  }

  func close() throws(ReplayError) {
    buffer += SnapshotText.end(count).utf8
    try flush()
    do { try file.close() } catch {
      throw ReplayError(path, "cannot be written (\(error.localizedDescription))")
    }
  }
}
