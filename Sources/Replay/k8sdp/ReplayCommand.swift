import ArgumentParser
import Core
import Replay

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Sends captures through a dataplane and writes what comes out.",
    discussion: """
      Frames go in in the order of their times. OUT/port-N.pcapng gets what leaves on port N, \
      OUT/summary.json the totals. With --annotate each packet's comment says how it went \
      through the pipeline; Wireshark shows it.

      A snapshot of a running node is taken as it is; expect-port-N.pcapng in it is what left \
      the node, and should be the same.

      Examples:
        k8sdp replay --snapshot node-1 --out out
        k8sdp replay --state state.yaml --in 2=client.pcap --in 3=web.pcap --out out --annotate
      """)

  @Option(name: .long, help: "The dataplane: model or dpdk.")
  var dataplane = "model"

  @OptionGroup var input: InputOptions

  @Option(name: .long, help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var out: String

  @Flag(name: .long, help: "Put each packet's trace in its pcapng comment.")
  var annotate = false

  func run() throws {
    let replayer = Replayer(run: try input.run(), annotate: annotate)
    let summary: ReplaySummary
    do {
      defer { Terminal.endProgress() }
      let state = replayer.run.state
      let factory = DataplaneFactory.k8sDP(ports: state.ports)
      summary = try replayer.replay(try factory.make(dataplane, clock: state.clock), into: out)
    }
    Terminal.out(input.json ? try JSONText.encode(summary) : summary.text)
  }
}
