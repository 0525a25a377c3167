import ArgumentParser
import Core
import Foundation
import Replay

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Runs two dataplanes side by side and shows the first difference.",
    discussion: """
      Verdicts and bytes are compared frame by frame, learned entries and counters at the end. \
      Exits with 1 when anything differs.

      Examples:
        k8sdp compare --state state.yaml --in 2=client.pcap
        k8sdp compare --state state.yaml --in 2=client.pcap --every-frame --report report.html
      """)

  @OptionGroup var input: InputOptions

  @Option(name: .long, help: "The first dataplane: model or dpdk.")
  var left = "model"

  @Option(name: .long, help: "The second dataplane: model or dpdk.")
  var right = "dpdk"

  @Flag(name: .long, help: "Compare learned entries and counters after each frame (slow).")
  var everyFrame = false

  @Option(name: .long, help: ArgumentHelp("Write a web page about it.", valueName: "file.html"))
  var report: String?

  func run() throws {
    if let report {
      // Before the work, not after it.
      let folder = URL(fileURLWithPath: report).deletingLastPathComponent().path
      guard FileManager.default.isWritableFile(atPath: folder) else {
        throw ReplayError(report, "cannot be written; check the folder and its permissions")
      }
    }
    let comparer = Comparer(run: try input.run(), everyFrame: everyFrame)
    let comparison: Comparison
    do {
      defer { Terminal.endProgress() }
      comparison = try comparer.compare(left, right, from: .k8sDP(ports: comparer.run.state.ports))
    }
    if let report {
      let page = ComparisonPage(comparison, run: comparer.run).html
      do { try Data(page.utf8).write(to: URL(fileURLWithPath: report), options: .atomic) } catch {
        throw ReplayError(report, "cannot be written; check the folder and its permissions")
      }
    }
    Terminal.out(input.json ? try JSONText.encode(comparison) : comparison.text)
    if !comparison.isEqual { throw ExitCode(comparison.exitCode) }
  }
}
