#if Infrap4d
  import ArgumentParser
  import Core
  import LiveReplay
  import Replay

  struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "capture",
      abstract: "Shows the frames that enter and leave the pipeline of a running node.",
      discussion: """
        Each frame comes with what became of it: where it went, translated to what, or why it was \
        dropped. With -w they go to a pcapng file, a frame as it came in and as it left, with \
        comments that Wireshark shows; -w - is standard output. A filter is an expression of \
        tcpdump (man pcap-filter); it is held against a frame as it came in, and as it left. \
        Ctrl-C ends.

        Exit codes: 0 at the end or after Ctrl-C, 1 when infrap4d goes away before, 2 when it does \
        not begin.

        Examples:
          k8sdp capture -i P4TAP_2 tcp port 80
          k8sdp capture --dropped
          k8sdp capture --reason no_endpoint --reason no_service -c 10 --json
          k8sdp capture -w - host 10.244.0.6 | tshark -r -
        """)

    @OptionGroup(title: "Node") var node: NodeOptions

    @Option(
      name: .shortAndLong,
      help: ArgumentHelp(
        "Only frames that come in or leave by this port: its id or name, or the pod on it; can be "
          + "repeated.", valueName: "port"))
    var interface: [String] = []

    @Flag(name: .long, help: "Only frames that do not go on: dropped, or refused by an interface.")
    var dropped = false

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Only frames that do not go on for this reason, such as no_endpoint; can be repeated.",
        valueName: "reason"))
    var reason: [String] = []

    @Option(name: [.customShort("c"), .long], help: "End after so many frames.")
    var count: UInt64?

    @Option(
      name: .long,
      help: ArgumentHelp("End after this time: 30, 0.5, 500ms, 2m.", valueName: "seconds"))
    var duration: Seconds?

    @Option(
      name: [.customShort("s"), .long],
      help: ArgumentHelp("Bytes of a frame at most; 0 is all.", valueName: "bytes"))
    var snapLength: UInt32 = 0

    @Option(
      name: [.customShort("w"), .long],
      help: ArgumentHelp("Write a pcapng file; - is standard output.", valueName: "file"))
    var write: String?

    @Flag(name: .long, help: "Print a line of JSON a frame.")
    var json = false

    @Argument(help: ArgumentHelp("A filter of tcpdump.", valueName: "expression"))
    var expression: [String] = []

    func validate() throws {
      guard count != 0 else { throw ValidationError("-c is 1 or more.") }
      guard snapLength <= 262_144 else { throw ValidationError("-s is 0 to 262144.") }
      guard write == nil || !json else { throw ValidationError("Take one of -w and --json.") }
    }

    func run() throws {
      var options = LiveCapture.Options()
      options.ports = interface
      options.lost = dropped
      options.reasons = reason
      options.snapLength = snapLength
      options.count = count ?? 0
      options.duration = duration?.nanoseconds ?? 0
      if !expression.isEmpty { options.filter = expression.joined(separator: " ") }
      let inspector = try node.inspector()
      let capture = try LiveCapture(inspector, options)
      let (node, write, json) = (node, write, json)
      let summary = try node.run { (interruption) async throws(ReplayError) in
        let names = try await node.names(inspector)
        return try await capture.run(names, interruption) { (state) throws(ReplayError) in
          let words = CaptureWords(state, names, isNumeric: node.numeric)
          let began = { @Sendable () -> Void in
            Terminal.error("capturing on \(inspector.name), Ctrl-C ends")
          }
          if let write { return try CaptureFile(path: write, words, began: began) }
          return CaptureText(words, isJSON: json, began: began)
        }
      }
      Terminal.error(
        "\(TextTable.grouped(Int(clamping: summary.frames))) frames captured, "
          + "\(TextTable.grouped(Int(clamping: summary.missed))) missed"
          + (summary.missed > 0 ? " because they were read too slowly: filter, or take -s 96" : ""))
      if let failure = summary.failure {
        Terminal.error(failure.description)
        throw ExitCode(1)
      }
    }
  }
#endif
