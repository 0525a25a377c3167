import Core
import Foundation
import Replay

/// The folder of a snapshot, while it is written: a state file, the files that it names, and the
/// frames that came in and left.
///
/// Unchecked: one writes it.
final class SnapshotFolder: @unchecked Sendable {
  private let path: String
  private let maximumBytes: Int
  private let tables: LineFile
  private var flows: LineFile?
  private var updates: LineFile?
  private var captures: [String: PcapngWriter] = [:]
  private(set) var moment: SnapshotStream.Moment?
  private(set) var isComplete = false
  private(set) var summary = LiveSnapshot.Summary()
  private var frameBytes = 0

  /// - Parameters:
  ///   - path: of a folder that is there and empty.
  ///   - maximumBytes: of frames; those that come then are left out.
  init(path: String, maximumBytes: Int) throws(ReplayError) {
    self.path = path
    self.maximumBytes = maximumBytes
    tables = try LineFile(
      path: path + "/" + SnapshotText.tables, header: SnapshotText.tablesHeader)
  }

  /// - Throws: ``CaptureEnd`` when there is no room for more.
  func take(_ part: SnapshotStream.Part) throws {
    switch part {
    case .moment(let moment):
      self.moment = moment
      summary.paused = moment.paused
      flows = try LineFile(
        path: path + "/" + SnapshotText.flows,
        header: SnapshotText.flowsHeader(hertz: moment.hertz, cycles: moment.cycles))
    case .rows(let rows): for row in rows { try tables.add(SnapshotText.line(row)) }
    case .learned(let entries): for entry in entries { try flows?.add(SnapshotText.line(entry)) }
    case .complete: isComplete = true
    case .frames(let frames, let missed):
      summary.missed = missed
      for frame in frames { try take(frame) }
    case .change(let time, let changes): try take(changes, at: time)
    case .end(let pipelineChanged): summary.pipelineChanged = pipelineChanged
    }
  }

  private func take(_ frame: LiveFrame) throws {
    guard frameBytes + frame.bytes.count <= maximumBytes else {
      summary.isCut = true
      throw CaptureEnd()
    }
    // A replay begins at the pipeline: what the host dropped before or behind it is not there.
    guard frame.enteredPipeline else {
      summary.leftOut += 1
      return
    }
    summary.frames += 1
    try write(frame.bytes, "in-port-\(frame.port)", frame.time)
    switch frame.fate {
    case .forwarded(let port), .refused(let port):
      try write(frame.out ?? frame.bytes, "expect-port-\(port)", frame.time)
    case .dropped(let reason):
      if SnapshotText.isOfHost(reason) { summary.droppedByHost += 1 }
    }
  }

  private func write(_ bytes: [UInt8], _ name: String, _ time: UInt64) throws {
    let writer: PcapngWriter
    if let open = captures[name] {
      writer = open
    } else {
      writer = try PcapngWriter(path: "\(path)/\(name).pcapng", interface: name)
      captures[name] = writer
    }
    try writer.write(bytes, nanoseconds: time)
    frameBytes += bytes.count
  }

  private func take(_ changes: [Update], at time: UInt64) throws {
    guard let moment else { return }
    let file: LineFile
    if let open = updates {
      file = open
    } else {
      file = try LineFile(
        path: path + "/" + SnapshotText.updates, header: SnapshotText.updatesHeader)
      updates = file
    }
    try file.add("at \(time - min(time, moment.time))\n")
    for change in changes { if let line = SnapshotText.line(change) { try file.add(line) } }
    summary.changes += 1
  }

  /// Writes the state file, and all ends.
  func finish(_ names: NodeNames) throws(ReplayError) {
    guard let moment else { return }
    try tables.close()
    try flows?.close()
    try updates?.close()
    for writer in captures.values { try writer.close() }
    summary.rows = tables.count
    summary.learned = flows?.count ?? 0
    let text = SnapshotText.stateFile(
      moment: moment.time, engine: moment.engine, timers: moment.timers,
      hasUpdates: updates != nil, names: names.book)
    try write(text, SnapshotText.state)
  }

  func write(_ text: String, _ name: String) throws(ReplayError) {
    let file = path + "/" + name
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: file)) } catch {
      throw ReplayError(
        file, "cannot be written (\(error.localizedDescription)); is the disk full?")
    }
  }
}
