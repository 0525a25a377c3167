import ArgumentParser
import Replay

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Validates a state file and prints what it holds.",
    discussion: """
      Example:
        k8sdp check state.yaml --json
      """)

  @Argument(help: ArgumentHelp("The state file.", valueName: "file.yaml"))
  var state: String

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    let listing = StateListing(try StateFile(contentsOf: state))
    Terminal.out(json ? try JSONText.encode(listing) : listing.text)
  }
}
