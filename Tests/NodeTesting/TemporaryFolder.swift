import Foundation
import Synchronization

/// A folder of a test, removed with its last reference; K8SDP_KEEP=1 keeps it, with the logs
/// that are in it.
public final class TemporaryFolder: Sendable {
  private static let isKept = ProcessInfo.processInfo.environment["K8SDP_KEEP"] != nil

  public let path: String

  /// - Parameters:
  ///   - name: for people; it is made unique.
  ///   - parent: with a slash at its end.
  public init(_ name: String, in parent: String = NSTemporaryDirectory()) throws {
    path = parent + "\(name)-\(UUID().uuidString.prefix(8))"
    Leftovers.watch()
    if !Self.isKept { Leftovers.note(folder: path) }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// One for all tests of a run, removed when that ends.
  ///
  /// - Returns: its path.
  public static func ofRun(_ name: String) throws -> String {
    let folder = try TemporaryFolder(name)
    let path = folder.path
    ofRun.withLock { folders in
      if folders.isEmpty {
        // Before it is looked for what is left behind: what comes last is done first.
        atexit { TemporaryFolder.ofRun.withLock { $0 = [] } }
      }
      folders.append(folder)
    }
    return path
  }

  private static let ofRun = Mutex<[TemporaryFolder]>([])

  deinit { if !Self.isKept { try? FileManager.default.removeItem(atPath: path) } }
}
