#if Infrap4d
  import ArgumentParser
  import LiveReplay
  import Replay
  import Synchronization

  struct FlowsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "flows",
      abstract: "Lists the connections to Services that a running node tracks.",
      discussion: """
        As conntrack -L does: protocol, state (the timer that runs), seconds that are left unless \
        a packet comes, client, Service, endpoint. Connections between pods that do not go through \
        a Service are not tracked. In no order; sort does that.

        Examples:
          k8sdp flows --service default/web
          k8sdp flows --client 10.244.0.6 --state tcpHalfOpen -n
          k8sdp flows --endpoint default/web-1:8080 --count
          k8sdp flows --json | jq -r .client | sort | uniq -c
        """)

    @OptionGroup(title: "Node") var node: NodeOptions

    @Option(
      name: .long,
      help: ArgumentHelp("Only of this Service: name or address, and a port.", valueName: "service")
    )
    var service: String?

    @Option(
      name: .long, help: ArgumentHelp("Only of this client: pod or address.", valueName: "client"))
    var client: String?

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Only to this endpoint: pod or address, and a port.", valueName: "endpoint"))
    var endpoint: String?

    @Option(name: .long, help: "Only in this state, such as tcpEstablished.")
    var state: String?

    @Option(name: .long, help: "Only tcp or udp.")
    var `protocol`: String?

    @Flag(name: .long, help: "Print their number only.")
    var count = false

    @Flag(name: .long, help: "Print a line of JSON a connection.")
    var json = false

    func run() throws {
      let inspector = try node.inspector()
      let command = self
      let total = try node.run { (interruption) async throws(ReplayError) in
        let names = try await command.node.names(inspector)
        let filter = try FlowFilter(
          protocol: command.protocol, client: command.client, service: command.service,
          endpoint: command.endpoint, state: command.state, names)
        let text = FlowText(command.node.numeric ? NodeNames() : names, isJSON: command.json)
        let output = LineOutput()
        let total = Mutex(0)
        if !command.count, let heading = text.heading { output.add(heading) }
        try await LiveFlows(inspector).forEach(filter, interruption) { flows in
          total.withLock { $0 += flows.count }
          guard !command.count else { return }
          for flow in flows { output.add(try text.line(flow)) }
          guard output.flush() else { throw CaptureEnd() }
        }
        _ = output.flush()
        return total.withLock { $0 }
      }
      if count { print(total) }
    }
  }
#endif
