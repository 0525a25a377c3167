import Foundation
import Logging
import StateDirectory

/// The log that a daemon left on disk. What was read once is read again, and the log still
/// takes records.
public final class RecordLogParser: OutsideParser {
  public static let name = "record-log"
  private static let file = "fuzz.log"
  private let directory: StateDirectory
  private let path: String

  public init() throws {
    path = NSTemporaryDirectory() + "/parser-fuzz-" + UUID().uuidString
    directory = try StateDirectory(
      path, logger: Logger(label: "parser-fuzz") { _ in SwiftLogNoOpLogHandler() })
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  public static func seeds(root: String) throws -> [[UInt8]] {
    let parser = try RecordLogParser()
    return try [0, 1, 3].map { count in
      let log = RecordLog(parser.directory, file)
      try log.replace(
        with: (0..<count).map { RecordLog.Record(kind: UInt8($0), payload: Data([1, 2, 3])) })
      return try Seeds.read(parser.path + "/" + file)
    }
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + Self.file)) } catch {
      preconditionFailure("\(path): \(error)")
    }
    let log = RecordLog(directory, Self.file)
    let records = log.read()
    precondition(log.read().count == records.count, "what was read is not there any more")
    do { _ = try log.append(kind: 7, Data(bytes.prefix(64))) } catch {
      preconditionFailure("it takes no record: \(error)")
    }
    let after = log.read()
    precondition(after.count == records.count + 1 && after.last?.kind == 7, "a record is lost")
    return !records.isEmpty
  }
}
