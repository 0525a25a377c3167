#if Infrap4d
  import ArgumentParser
  import LiveReplay
  import Replay

  struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "top",
      abstract: "Watches a running node: ports, drops, connections, tables, Services.",
      discussion: """
        Rates are of the last interval. Flow entries are learned three for a TCP connection and \
        two for a UDP flow. Connections are counted every three seconds at most. On a terminal the \
        screen is redrawn, and q ends; elsewhere a report follows the other.

        Examples:
          k8sdp top
          k8sdp top --once
          k8sdp top --interval 10 --json >> node.jsonl
        """)

    @OptionGroup(title: "Node") var node: NodeOptions

    @Option(
      name: .long, help: ArgumentHelp("Between two looks: 1, 500ms, 1m.", valueName: "seconds"))
    var interval: Seconds?

    @Flag(name: .long, help: "One report, after one interval.")
    var once = false

    @Flag(name: .long, help: "Print a line of JSON a report.")
    var json = false

    func run() throws {
      let inspector = try node.inspector()
      var options = LiveTop.Options()
      if let interval { options.interval = interval.duration }
      if once { options.count = 1 }
      let top = LiveTop(inspector, options)
      let command = self
      try node.run { (interruption) async throws(ReplayError) in
        let found = try await command.node.names(inspector)
        let names = command.node.numeric ? NodeNames() : found
        guard !command.json, !command.once, TopTerminal.isThere else {
          return try await top.run(names, interruption) { (report) throws(ReplayError) in
            let output = LineOutput()
            if command.json {
              output.add(try JSONText.line(report))
            } else {
              let size = TopScreen.defaultSize
              for line in TopScreen(report, columns: size.columns, rows: size.rows).lines {
                output.add(line)
              }
              if !command.once { output.add("") }
            }
            return output.flush()
          }
        }
        // What is wrong from the beginning is said on the screen that was there.
        _ = try await inspector.status()
        let terminal = TopTerminal(interruption)
        defer { terminal.close() }
        try await top.run(names, interruption) { (report) throws(ReplayError) in
          let size = TopTerminal.size
          terminal.show(TopScreen(report, columns: size.columns, rows: size.rows).lines)
          return true
        }
      }
    }
  }
#endif
