#if Infrap4d
  import ArgumentParser
  import LiveReplay
  import Replay

  struct ApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply",
      abstract: "Brings a running infrap4d to what a state file says.",
      discussion: """
        Pushes the pipeline, unless it runs there, and writes the entries that differ; what the \
        state file does not have is removed. Its ports must be there: see gnmi-ctl. Events of the \
        state file are not played, and flows of a snapshot are not put back.

        Examples:
          k8sdp apply state.yaml --to infrap4d:unix:/run/infrap4d.sock
          k8sdp apply state.yaml --to infrap4d:node-1:9559 --certs certs
        """)

    @Argument(help: ArgumentHelp("The state file.", valueName: "file.yaml"))
    var state: String

    @Option(name: .long, help: "infrap4d:HOST:PORT or infrap4d:unix:PATH.")
    var to: String

    @OptionGroup var live: LiveOptions

    @Flag(name: .long, help: "Print JSON instead of text.")
    var json = false

    private struct Outcome: Encodable {
      var dataplane: String
      var entries: Int
    }

    func run() throws {
      let file = try StateFile(contentsOf: state)
      let entries = try LiveState.apply(file, to: to, security: live.security)
      Terminal.out(
        json
          ? try JSONText.encode(Outcome(dataplane: to, entries: entries))
          : "\(to) has the \(entries) entries of \(state)")
    }
  }
#endif
