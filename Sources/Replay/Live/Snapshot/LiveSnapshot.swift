import Core
import Foundation
import Replay

/// `k8sdp snapshot`: what a running node has, and what happens from then on, as a folder that
/// `replay`, `trace`, `compare` and `why` take as it is.
public struct LiveSnapshot: Sendable {
  public struct Options: Sendable {
    /// Nanoseconds for which frames are kept; 0 keeps none.
    public var duration: UInt64 = 0
    /// Bytes of frames at most.
    public var maximumBytes = 1 << 30
    public init() {}
  }

  /// What a snapshot holds.
  public struct Summary: Hashable, Sendable, Encodable {
    public var rows = 0
    public var learned = 0
    public var frames = 0
    /// Updates of tables that came while frames were kept.
    public var changes = 0
    /// Frames that could not be kept, because they came faster than they were read.
    public var missed: UInt64 = 0
    /// Frames that were dropped before the pipeline, which a replay has not.
    public var leftOut = 0
    /// Frames that the pipeline forwarded and the host dropped: a replay forwards them.
    public var droppedByHost = 0
    /// Nanoseconds that frames waited.
    public var paused: UInt64 = 0
    public var isCut = false
    public var pipelineChanged = false

    enum CodingKeys: String, CodingKey {
      case rows, learned, frames, changes, missed
      case leftOut = "left_out"
      case droppedByHost = "dropped_by_host"
      case paused = "paused_nanoseconds"
      case isCut = "cut"
      case pipelineChanged = "pipeline_changed"
    }

    /// What a replay will not show as it was, in words.
    public var warnings: [String] {
      var warnings: [String] = []
      if missed > 0 {
        warnings.append(
          "\(missed) frames came faster than they were read: a replay is not what the node did")
      }
      if leftOut > 0 {
        warnings.append("\(leftOut) frames were dropped before the pipeline and are left out")
      }
      if droppedByHost > 0 {
        warnings.append(
          "\(droppedByHost) frames were dropped behind the pipeline (bad_port, bad_offload): a "
            + "replay forwards them")
      }
      if isCut { warnings.append("frames end early: there are as many bytes as --max-size allows") }
      if pipelineChanged {
        warnings.append("frames end early: another pipeline was pushed")
      }
      return warnings
    }

    /// Whether a replay is what the node did.
    public var isExact: Bool { missed == 0 }
  }

  private let inspector: NodeInspector
  private let options: Options

  public init(_ inspector: NodeInspector, _ options: Options) {
    self.inspector = inspector
    self.options = options
  }

  /// Writes a folder, which must not be there, or be empty.
  ///
  /// - Parameter began: called when frames are being kept.
  /// - Throws: and then leaves nothing new.
  public func take(
    into path: String, _ names: NodeNames, _ interruption: Interruption,
    began: @escaping @Sendable () -> Void
  ) async throws(ReplayError) -> Summary {
    let status = try await inspector.k8sDPStatus()
    let existed = try Self.check(path)
    let work = existed ? path : path + ".partial-\(ProcessInfo.processInfo.processIdentifier)"
    if !existed {
      do {
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
      } catch { throw ReplayError(path, "cannot be made; check its permissions") }
    }
    do throws(ReplayError) {
      let summary = try await write(work, status, names, interruption, began: began)
      if !existed {
        do { try FileManager.default.moveItem(atPath: work, toPath: path) } catch {
          throw ReplayError(path, "cannot be made (\(error.localizedDescription))")
        }
      }
      return summary
    } catch {
      Self.discard(work, existed)
      throw error
    }
  }

  /// - Returns: whether the folder is there.
  private static func check(_ path: String) throws(ReplayError) -> Bool {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
    let content = try? FileManager.default.contentsOfDirectory(atPath: path)
    guard isFolder.boolValue, content == [] else {
      throw ReplayError(path, "is there already; give --out a folder that is not, or is empty")
    }
    return true
  }

  private static func discard(_ work: String, _ existed: Bool) {
    guard existed else {
      try? FileManager.default.removeItem(atPath: work)
      return
    }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] {
      try? FileManager.default.removeItem(atPath: "\(work)/\(name)")
    }
  }

  private func write(
    _ path: String, _ status: NodeState, _ names: NodeNames, _ interruption: Interruption,
    began: @escaping @Sendable () -> Void
  ) async throws(ReplayError) -> Summary {
    let folder = try SnapshotFolder(path: path, maximumBytes: options.maximumBytes)
    let stream = SnapshotStream(inspector: inspector, duration: options.duration)
    do {
      try await stream.read(interruption) { [options] part in
        try folder.take(part)
        if case .complete = part, options.duration > 0 { began() }
      }
    } catch {
      // As many frames as there is room for are a whole snapshot, too.
      guard folder.summary.isCut else { throw error }
    }
    guard folder.isComplete else {
      throw ReplayError(inspector.name, "the snapshot was ended before all of its rows had come")
    }
    try folder.finish(names)
    try folder.write(try JSONText.encode(status), "node.json")
    return folder.summary
  }
}
