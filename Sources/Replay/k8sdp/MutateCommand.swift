import ArgumentParser
import Foundation
import Replay

struct MutateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mutate",
    abstract: "Puts faults into the compiled pipeline and lets the fuzzer look for them.",
    discussion: """
      Conditions are turned round, instructions left out, constants and timers changed, fields \
      swapped, one at a time; then the faulty pipeline on DPDK is fuzzed against the model. \
      Exits with 1 when more than one fault in twenty is not found.

      Example:
        k8sdp mutate --frames 20000
      """)

  @Option(name: .long, help: "Frames a fault may take to be found.")
  var frames = 20_000

  @Option(name: .long, help: "Where the fuzzer begins.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Only every n-th fault.")
  var every = 1

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    guard frames > 0, every > 0 else { throw ValidationError("Numbers are 1 or more.") }
  }

  @Option(help: .hidden)
  var from: Int?

  func run() throws {
    let run = MutationRun(frames: frames, seed: seed)
    if let from {
      // The part that may crash: one word a fault, at once.
      run.run(stride(from: from, to: MutationRun.mutants.count, by: every)) { _, outcome in
        FileHandle.standardOutput.write(Data((outcome.rawValue + "\n").utf8))
      }
      return
    }
    let report: MutationRun.Report
    do {
      defer { Terminal.endProgress() }
      report = try run.supervise(every: every, program: Terminal.program) {
        Terminal.step("\($0) faults")
      }
    }
    Terminal.out(json ? try JSONText.encode(report) : report.text)
    if report.survivors.count * 20 > report.mutants { throw ExitCode(1) }
  }
}
