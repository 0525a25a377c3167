import ArgumentParser
import Foundation
import Replay

struct MutateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mutate",
    abstract: "Puts faults into the compiled pipeline and lets the fuzzer look for them.",
    discussion: """
      Conditions are turned round, instructions left out, constants and timers changed, fields \
      swapped, one at a time; then the faulty pipeline on DPDK is fuzzed against the model, and \
      what fuzzing does not find meets the fixtures. Exits with 1 when fewer than 95 % are found \
      of those that are not equivalent, or when one listed as equivalent is found after all.

      Examples:
        k8sdp mutate --fixtures Fixtures --equivalent scripts/faults/equivalent-spec.txt
        k8sdp mutate --sample 100 --seed 4711
      """)

  @Option(name: .long, help: "Frames a fault may take to be found.")
  var frames = 40_000

  @Option(name: .long, help: "Where the fuzzer begins, and which faults a sample has.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Only that many faults, chosen at random.")
  var sample: Int?

  @Option(name: .long, help: ArgumentHelp("The folder of fixtures.", valueName: "dir"))
  var fixtures: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The faults that change nothing, below a line `# reason`.", valueName: "file"))
  var equivalent: String?

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  /// Numbers of faults, separated by commas: the part that may crash.
  @Option(help: .hidden)
  var only: String?

  func validate() throws {
    guard frames > 0, sample ?? 1 > 0 else { throw ValidationError("Numbers are 1 or more.") }
  }

  func run() throws {
    let run = MutationRun(frames: frames, seed: seed, fixtures: fixtures)
    if let only {
      run.run(only.split(separator: ",").compactMap { Int($0) }) { _, outcome in
        try? FileHandle.standardOutput.write(contentsOf: Data((outcome.rawValue + "\n").utf8))
      }
      return
    }
    let list = try equivalent.map { path throws(ReplayError) in
      try EquivalentMutants(contentsOf: path)
    }
    var numbers = Array(MutationRun.mutants.indices)
    if let sample {
      var random = SplitMix64(seed: seed)
      numbers = numbers.shuffled(using: &random).prefix(sample).sorted()
    }
    var report: MutationReport
    do {
      defer { Terminal.endProgress() }
      report = try run.supervise(numbers, program: Terminal.program) {
        Terminal.step("\($0) faults")
      }
    }
    report.equivalents = list ?? EquivalentMutants()
    Terminal.out(json ? try JSONText.encode(report) : report.text)
    if !report.isGood { throw ExitCode(1) }
  }
}
