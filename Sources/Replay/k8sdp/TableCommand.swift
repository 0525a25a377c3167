import ArgumentParser
import Replay

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Runs every fixture through several dataplanes.",
    discussion: """
      The model must forward what each fixture expects, every other dataplane what the model \
      forwards. A running infrap4d, as infrap4d:HOST:PORT or infrap4d:unix:PATH, gets the frames \
      through TAPs, as fast as they go: what depends on time passing is named in the last column, \
      and the model is run at the same times. Upstream's infrap4d takes one pipeline a life: \
      --start says how to start it anew for each fixture. Exits with 1 when anything differs.

      Examples:
        k8sdp table Fixtures
        ip netns exec NAME k8sdp table Fixtures --with dpdk --with infrap4d:unix:/run/infrap4d.sock
        ip netns exec NAME k8sdp table Fixtures --with infrap4d:localhost:9559 --start 'infrap4d …'
      """)

  @Argument(help: ArgumentHelp("The folder of the fixtures' folders.", valueName: "dir"))
  var fixtures: String

  @Option(name: .long, help: "A dataplane: dpdk or infrap4d:ADDRESS; can be repeated.")
  var with: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A line for the shell that ends in the infrap4d of --with: it is started anew for each "
        + "fixture.", valueName: "command"))
  var start: String?

  @OptionGroup var live: LiveOptions

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    let folders = FixtureFolder.all(in: fixtures)
    guard !folders.isEmpty else {
      throw ReplayError(fixtures, "has no folder with a state.yaml; give the folder of fixtures")
    }
    let factory = try live.adding(with, to: .k8sDP(), start: start)
    var table = FixtureTable(dataplanes: with)
    for folder in folders { try table.add(folder, from: factory) }
    Terminal.out(json ? try JSONText.encode(table) : table.text)
    if !table.isEqual { throw ExitCode(1) }
  }
}
