import ArgumentParser
import Core
import Foundation
import Replay

#if Infrap4d
  import LiveReplay
#endif

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Says whether a packet arrives, and why not.",
    discussion: """
      Takes the tables and flows of a running node, or of a state file, makes the first packet \
      that SRC would send to DST (a SYN, a datagram, an echo request) and the answer to it, sends \
      both through the model, and tells table by table what becomes of them. Nothing is sent. \
      With --capture it is a packet of a file.

      SRC and DST are addresses, or names of pods and Services: NAMESPACE/NAME, or NAME.

      Exit codes: 0 = it arrives, 1 = it does not, 2 = bad input.

      Examples:
        k8sdp why 10.244.0.6 10.96.0.80:80
        k8sdp why default/client kube-system/kube-dns:53 --protocol udp
        k8sdp why --capture lost.pcapng --frame 17
        k8sdp why --state node-1/state.yaml 10.244.0.6 10.96.0.80:80
      """)

  #if Infrap4d
    @OptionGroup(title: "Node") var node: NodeOptions
  #endif

  @Argument(help: ArgumentHelp("Who sends.", valueName: "src"))
  var source: String?

  @Argument(help: ArgumentHelp("Where to, with a port for TCP and UDP.", valueName: "dst[:port]"))
  var destination: String?

  @Option(name: .long, help: "tcp, udp or icmp; by default tcp with a port and icmp without.")
  var `protocol`: String?

  @Option(
    name: .long,
    help: ArgumentHelp("The client's port; by default one that no flow has.", valueName: "port"))
  var sourcePort: UInt16?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Of a state file or snapshot instead of a running node.", valueName: "file.yaml"))
  var state: String?

  @Option(
    name: .long,
    help: ArgumentHelp("A packet of this file; - is standard input.", valueName: "file"))
  var capture: String?

  @Option(name: .long, help: ArgumentHelp("Which packet of it, from 1.", valueName: "n"))
  var frame = 1

  @Option(
    name: .long,
    help: ArgumentHelp("Where it comes in; by default where its source is.", valueName: "id"))
  var port: PortID?

  @Flag(name: .long, help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    if capture == nil {
      guard source != nil, destination != nil else {
        throw ValidationError("Give SRC and DST[:PORT], or --capture FILE.")
      }
    } else {
      guard source == nil, `protocol` == nil, sourcePort == nil else {
        throw ValidationError("--capture brings its own packet: give no SRC, DST or --protocol.")
      }
    }
    guard frame > 0 else { throw ValidationError("--frame is 1 or more.") }
    guard sourcePort != 0 else { throw ValidationError("--source-port is 1 to 65535.") }
    #if Infrap4d
      guard state == nil || node.from == nil else {
        throw ValidationError("Take one of --state and --from.")
      }
    #endif
  }

  func run() throws {
    let answer: WhyAnswer
    if let state {
      let file = try StateFile(contentsOf: state)
      let tables = try WhyTables(file, names: try savedNames())
      answer = try self.answer(from: tables) { tables.names }
    } else {
      answer = try askNode()
    }
    Terminal.out(json ? try JSONText.encode(answer) : answer.text)
    if !answer.arrives { throw ExitCode(1) }
  }

  private func savedNames() throws(ReplayError) -> NodeNames {
    #if Infrap4d
      try node.names.map { path throws(ReplayError) in try NodeNames(contentsOf: path) }
        ?? NodeNames()
    #else
      NodeNames()
    #endif
  }

  private func answer(
    from tables: WhyTables, _ names: () -> NodeNames
  ) throws(ReplayError) -> WhyAnswer {
    if let capture { return try WhyOracle(tables).answer(frame: try packet(capture), port: port) }
    return try WhyOracle(tables).answer(try question(names()))
  }

  private func question(_ names: NodeNames) throws(ReplayError) -> WhyQuestion {
    try WhyQuestion(
      source: source ?? "", destination: destination ?? "", transport: `protocol`,
      sourcePort: sourcePort, names)
  }

  private func packet(_ path: String) throws(ReplayError) -> [UInt8] {
    let reader = try CaptureReader(path: path)
    for _ in 1..<frame { _ = try reader.next() }
    guard let found = try reader.next() else {
      throw ReplayError("--frame \(frame)", "\(path) has not as many")
    }
    return found.bytes
  }

  private func askNode() throws(ReplayError) -> WhyAnswer {
    #if Infrap4d
      let inspector = try node.inspector()
      let command = self
      return try node.run { (interruption) async throws(ReplayError) in
        let found = try await command.node.names(inspector)
        var addresses: [IPv4Address] = []
        var question: WhyQuestion?
        var packet: [UInt8] = []
        if let capture = command.capture {
          packet = try command.packet(capture)
          addresses = WhyOracle.addresses(of: packet)
        } else {
          let asked = try command.question(found)
          addresses = [asked.source, asked.destination]
          question = asked
        }
        let names = command.node.numeric ? NodeNames() : found
        let tables = try await LiveWhy(inspector).tables(about: addresses, names, interruption)
        let oracle = WhyOracle(tables)
        guard let question else { return try oracle.answer(frame: packet, port: command.port) }
        return try oracle.answer(question)
      }
    #else
      throw ReplayError("why", "needs --state in this build; rebuild with the trait Infrap4d")
    #endif
  }
}
