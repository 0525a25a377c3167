import ArgumentParser
import Core
import Foundation
import Replay

struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Plays random lives of a node through two dataplanes, until they differ.",
    discussion: """
      Pods, Services and endpoints change; connections open, age, collide and are reset; \
      frames are fragmented, tagged, cut short and damaged; tables run full. Verdicts and bytes \
      are compared after each frame, learned entries and counters again and again. Both are \
      held to what must always be true: checksums verify, replies come from the address that was \
      asked, every frame is counted. The same seed gives the same run.

      A failure is cut down to the steps it needs and, with --out, written as a fixture; the exit \
      code is then 1.

      Examples:
        k8sdp fuzz --seed 1 --frames 100000
        k8sdp fuzz --seed 4711 --frames 3000 --out found
      """)

  @Option(name: .long, help: "Where to begin.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Frames to send.")
  var frames = 100_000

  @Option(help: "Frames between two looks at learned entries and counters; 1 looks after each.")
  var interval = 64

  @Option(name: .long, help: "The first dataplane: model or dpdk.")
  var left = "model"

  @Option(name: .long, help: "The second dataplane: model or dpdk.")
  var right = "dpdk"

  @Option(name: .long, help: ArgumentHelp("Write a failure there.", valueName: "dir"))
  var out: String?

  @Option(name: .long, help: "Processes; the default is one a processor.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: .hidden)
  var stride: UInt64 = 1

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    guard frames > 0 else { throw ValidationError("--frames is 1 or more.") }
    guard interval > 0 else { throw ValidationError("--interval is 1 or more.") }
    guard (1...1024).contains(jobs) else { throw ValidationError("--jobs is 1 to 1024.") }
  }

  func run() throws {
    var fuzzer = Fuzzer(
      seed: seed, stride: stride, frames: frames, left: left, right: right, folder: out,
      progress: Terminal.progress)
    fuzzer.interval = interval
    let report: Fuzzer.Report
    do {
      defer { Terminal.endProgress() }
      // One life is not worth a second process.
      let jobs = min(jobs, (frames + Fuzzer.episodeFrames - 1) / Fuzzer.episodeFrames)
      report =
        jobs == 1
        ? try fuzzer.run()
        : try FuzzJobs(fuzzer: fuzzer, jobs: jobs, program: Terminal.program).run()
    }
    Terminal.out(json ? try JSONText.encode(report) : report.text)
    guard let failure = report.failure else { return }
    Terminal.error(
      "again: k8sdp fuzz --seed \(failure.seed) --frames \(Fuzzer.episodeFrames) "
        + "--left \(left) --right \(right)" + (interval == 64 ? "" : " --interval \(interval)"))
    throw ExitCode(1)
  }
}
