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
      Exits with 1 when anything differs. In place of a dataplane upstream's pipeline can \
      stand, as a .pb.bin or .spec, or a running infrap4d, as infrap4d:HOST:PORT or \
      infrap4d:unix:PATH; then only frames are compared. Run in the network namespace of that \
      infrap4d: k8s_dp is pushed to it, and frames go through TAPs that are made for them. They \
      arrive when they arrive, whenever they were captured.

      Examples:
        k8sdp compare --state state.yaml --in 2=client.pcap
        k8sdp compare --snapshot node-1
        k8sdp compare --state state.yaml --in 2=client.pcap --left upstream.pb.bin
        k8sdp compare --state state.yaml --in 2=client.pcap --every-frame --report report.html
      """)

  @OptionGroup var input: InputOptions

  @Option(name: .long, help: "The first dataplane: model, dpdk, a file or infrap4d:ADDRESS.")
  var left = "model"

  @Option(name: .long, help: "The second dataplane: model, dpdk, a file or infrap4d:ADDRESS.")
  var right = "dpdk"

  @Option(name: .long, help: "Who fills upstream's tables: careful or manager.")
  var control = UpstreamControl.careful

  @OptionGroup var live: LiveOptions

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
      let ports = comparer.run.state.ports
      var factory = try live.adding([left, right], to: .k8sDP(ports: ports))
      for file in Set([left, right]) where file.hasSuffix(".pb.bin") || file.hasSuffix(".spec") {
        factory = try factory.adding(upstream: file, control: control, ports: ports)
      }
      comparison = try comparer.compare(left, right, from: factory)
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
