#if Infrap4d
  import ArgumentParser
  import Foundation
  import LiveReplay
  import Replay

  struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "snapshot",
      abstract: "Takes what a running node has along, to be replayed elsewhere.",
      discussion: """
        OUT gets a state file, the rows of all tables and the flows as they are at one moment. \
        With --duration also the frames that come in from then on, what they became, and changes \
        of the tables: k8sdp replay does with them what the node did. Frames wait while the flows \
        are read; how long is said. Ctrl-C ends the frames, and the snapshot is whole.

        Exit codes: 0 when a replay does what the node did, 1 when frames are missing, 2 when \
        there is no snapshot.

        Examples:
          k8sdp snapshot --out node-1
          k8sdp snapshot --out node-1 --duration 30
          k8sdp replay --snapshot node-1 --out out
          k8sdp trace --snapshot node-1
          k8sdp table .          # every snapshot in this folder, through model and dpdk
        """)

    @OptionGroup(title: "Node") var node: NodeOptions

    @Option(
      name: .long,
      help: ArgumentHelp(
        "The folder to write to, which must not be there or be empty; - writes a tar archive to "
          + "standard output.", valueName: "dir"))
    var out: String

    @Option(
      name: .long,
      help: ArgumentHelp("Keep frames for this time: 30, 0.5, 2m.", valueName: "seconds"))
    var duration: Seconds?

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Megabytes of frames at most; by default 1024, and 192 with --out -.", valueName: "mb"))
    var maxSize: Int?

    @Flag(name: .long, help: "Print JSON instead of text, on standard error with --out -.")
    var json = false

    func validate() throws {
      if let maxSize, !(1...1_000_000).contains(maxSize) {
        throw ValidationError("--max-size is 1 to 1000000.")
      }
    }

    func run() throws {
      let isArchive = out == "-"
      var options = LiveSnapshot.Options()
      options.duration = duration?.nanoseconds ?? 0
      options.maximumBytes = (maxSize ?? (isArchive ? 192 : 1024)) << 20
      let inspector = try node.inspector()
      let snapshot = LiveSnapshot(inspector, options)
      let folder =
        isArchive
        ? NSTemporaryDirectory() + "/k8sdp-snapshot-\(UUID().uuidString)"
        : String(out.reversed().drop { $0 == "/" }.reversed())
      defer { if isArchive { try? FileManager.default.removeItem(atPath: folder) } }
      let node = node
      let summary = try node.run { (interruption) async throws(ReplayError) in
        let names = try await node.names(inspector)
        return try await snapshot.take(into: folder, names, interruption) {
          Terminal.error("keeping frames of \(inspector.name), Ctrl-C ends")
        }
      }
      if isArchive { try TarArchive(folder).writeToStandardOutput() }
      report(summary, isArchive)
      if !summary.isExact { throw ExitCode(1) }
    }

    private func report(_ summary: LiveSnapshot.Summary, _ isArchive: Bool) {
      for warning in summary.warnings { Terminal.error("warning: \(warning)") }
      let text =
        json
        ? (try? JSONText.encode(summary)) ?? ""
        : "\(TextTable.grouped(summary.rows)) rows, \(TextTable.grouped(summary.learned)) learned "
          + "entries, \(TextTable.grouped(summary.frames)) frames, \(summary.changes) changes of "
          + "tables; frames waited \(TextTable.grouped(Int(summary.paused / 1000))) µs\n"
      if isArchive {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
      } else {
        Terminal.out(text)
      }
    }
  }
#endif
