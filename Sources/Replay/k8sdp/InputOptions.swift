import ArgumentParser
import Replay

/// The state and the captures: options of every command that replays.
struct InputOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder of a snapshot or fixture: its state.yaml and in-port-N.pcapng, in place of "
        + "--state and --in.", valueName: "dir"))
  var snapshot: String?

  @Option(name: .long, help: ArgumentHelp("The state file.", valueName: "file.yaml"))
  var state: String?

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp(
      "A capture and the port its frames come in on; can be repeated.", valueName: "port=file"))
  var inputs: [CaptureInput] = []

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  /// The run these options describe.
  func run() throws(ReplayError) -> ReplayRun {
    var run =
      if let snapshot {
        try FixtureFolder(path: snapshot).run()
      } else {
        ReplayRun(state: try StateFile(contentsOf: state ?? ""), inputs: inputs)
      }
    run.progress = Terminal.progress
    return run
  }

  func validate() throws {
    guard snapshot == nil else {
      guard state == nil, inputs.isEmpty else {
        throw ValidationError("--snapshot has its own state file and captures: give no other.")
      }
      return
    }
    guard state != nil else { throw ValidationError("Give --state FILE, or --snapshot DIR.") }
    guard !inputs.isEmpty else { throw ValidationError("Give at least one --in PORT=FILE.") }
  }
}

extension CaptureInput: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
