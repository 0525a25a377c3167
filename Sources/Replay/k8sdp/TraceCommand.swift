import ArgumentParser
import Core
import Replay

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Explains what happens to each frame, table by table.",
    discussion: """
      Frames are numbered from 1 in the order of their times over all inputs.

      Examples:
        k8sdp trace --state state.yaml --in 2=client.pcap
        k8sdp trace --snapshot node-1 --frame 17
        k8sdp trace --state state.yaml --in 2=client.pcap --in 3=web.pcap --frame 4711 --json
      """)

  @OptionGroup var input: InputOptions

  @Option(name: .long, help: "The dataplane; it must be one that traces.")
  var dataplane = "model"

  @Option(name: .long, help: ArgumentHelp("Only this frame, from 1.", valueName: "n"))
  var frame: Int?

  func validate() throws {
    if let frame, frame < 1 { throw ValidationError("--frame is 1 or more.") }
  }

  func run() throws {
    let tracer = Tracer(run: try input.run())
    let state = tracer.run.state
    let loaded = try DataplaneFactory.k8sDP(ports: state.ports)
      .make(dataplane, clock: state.clock)
    var frames: [TracedFrame] = []
    var first = true
    let json = input.json
    try tracer.trace(loaded, only: frame) { (traced) throws(ReplayError) in
      guard !json else {
        frames.append(traced)
        return
      }
      Terminal.out((first ? "" : "\n") + traced.text + "\n")
      first = false
    }
    if json { Terminal.out(try JSONText.encode(frames)) }
  }
}
