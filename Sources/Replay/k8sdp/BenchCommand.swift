import ArgumentParser
import Core
import Foundation
import Replay

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the dataplanes on this machine.",
    discussion: """
      One processor forwards 60-byte frames of TCP connections to a Service with 16 endpoints, \
      requests and replies in turn, in batches of 256; then it opens connections, then it \
      programs tables. Figures are of the least disturbed round, in processor time of the batch \
      calls. --against takes another pipeline, for example upstream's, and measures it on the \
      same DPDK and host code, round by round in turn.

      Examples:
        k8sdp bench
        k8sdp bench --against k8s_dp.pb.bin --json
      """)

  @Flag(name: .long, help: "Print JSON instead of text: an array of name, value and unit.")
  var json = false

  @Option(name: .long, help: "Rounds of each measurement.")
  var rounds = 5

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Another pipeline: a .spec of p4c-dpdk, or a .pb.bin that holds one.",
      valueName: "file"))
  var against: String?

  func validate() throws {
    guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is 1 to 1000.") }
  }

  func run() throws {
    let other = try against.map { (spec: try PipelineFile.read($0), file: $0) }
    let report: BenchReport
    do {
      defer { Terminal.endProgress() }
      report = try Bench(rounds: rounds, against: other, progress: Terminal.step).run()
    }
    Terminal.out(json ? try JSONText.encode(report) : report.text)
  }
}
