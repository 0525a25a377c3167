import Core
import Foundation

/// The folder a replay writes to: nothing is seen there until all of it is done.
///
/// Files grow in a hidden folder inside it and are moved when the replay is
/// through, the summary last. Files of an earlier replay are removed then.
final class OutputFolder {
  static let summaryName = "summary.json"

  private let path: String
  private let work: String
  private let existed: Bool
  private var writers: [PortID: PcapngWriter] = [:]
  private let files = FileManager.default

  init(path: String) throws(ReplayError) {
    self.path = path
    work = path + "/.k8sdp-partial-\(ProcessInfo.processInfo.processIdentifier)"
    var isFolder: ObjCBool = false
    existed = files.fileExists(atPath: path, isDirectory: &isFolder)
    guard !existed || isFolder.boolValue else {
      throw ReplayError(path, "is a file; give a folder")
    }
    do { try files.createDirectory(atPath: work, withIntermediateDirectories: true) } catch {
      throw ReplayError(path, "cannot be made; check its permissions")
    }
  }

  static func fileName(_ port: PortID) -> String { "port-\(port).pcapng" }

  /// Adds a frame to its port's file.
  func write(_ bytes: [UInt8], port: PortID, nanoseconds: UInt64, comments: [String])
    throws(ReplayError)
  {
    let writer: PcapngWriter
    if let open = writers[port] {
      writer = open
    } else {
      writer = try PcapngWriter(
        path: "\(work)/\(Self.fileName(port))", interface: "port-\(port)")
      writers[port] = writer
    }
    try writer.write(bytes, nanoseconds: nanoseconds, comments: comments)
  }

  /// Moves everything to its place.
  func publish(summary: ReplaySummary) throws(ReplayError) {
    for writer in writers.values { try writer.close() }
    let json = try JSONText.encode(summary)
    do {
      try Data(json.utf8).write(to: URL(fileURLWithPath: "\(work)/\(Self.summaryName)"))
      for name in try files.contentsOfDirectory(atPath: path) where Self.isOurs(name) {
        try files.removeItem(atPath: "\(path)/\(name)")
      }
      let names = writers.keys.sorted().map(Self.fileName) + [Self.summaryName]
      for name in names {
        try files.moveItem(atPath: "\(work)/\(name)", toPath: "\(path)/\(name)")
      }
      try files.removeItem(atPath: work)
    } catch {
      throw ReplayError(path, "cannot be written (\(error.localizedDescription))")
    }
  }

  /// Removes what was written so far.
  func discard() {
    try? files.removeItem(atPath: existed ? work : path)
  }

  private static func isOurs(_ name: String) -> Bool {
    if name == summaryName { return true }
    guard name.hasPrefix("port-"), name.hasSuffix(".pcapng") else { return false }
    return PortID(name.dropFirst(5).dropLast(7)) != nil
  }
}
