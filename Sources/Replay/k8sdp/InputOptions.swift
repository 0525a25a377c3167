import ArgumentParser
import Replay

/// The state and the captures: options of every command that replays.
struct InputOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The state file.", valueName: "file.yaml"))
  var state: String

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp(
      "A capture and the port its frames come in on; can be repeated.", valueName: "port=file"))
  var inputs: [CaptureInput]

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  /// The run these options describe.
  func run() throws(ReplayError) -> ReplayRun {
    ReplayRun(
      state: try StateFile(contentsOf: state), inputs: inputs, progress: Terminal.progress)
  }

  func validate() throws {
    guard !inputs.isEmpty else { throw ValidationError("Give at least one --in PORT=FILE.") }
  }
}

extension CaptureInput: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
