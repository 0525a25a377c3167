#if Infrap4d
  import ArgumentParser
  import Foundation
  import LiveReplay
  import Replay

  /// Which running node, and what its addresses are called.
  struct NodeOptions: ParsableArguments {
    /// Where infrap4d is for those on its node, if its unit or manifest started it.
    private static let socket = "/run/infrap4d/infrap4d.sock"
    private static let loopback = "infrap4d:localhost:9559"

    @Option(
      name: .long,
      help: ArgumentHelp(
        "infrap4d:HOST:PORT or infrap4d:unix:PATH.",
        discussion: "By default infrap4d:unix:\(Self.socket) if that is there, else "
          + "\(Self.loopback).",
        valueName: "address"))
    var from: String?

    @OptionGroup var live: LiveOptions

    @Flag(name: .shortAndLong, help: "Addresses, no names.")
    var numeric = false

    @Option(
      name: .long,
      help: ArgumentHelp(
        "Names of pods and Services: what an agent serves as /names.json.", valueName: "file"))
    var names: String?

    @Option(
      name: .long,
      help: ArgumentHelp(
        "The agent that is asked for names; by default \(NodeNames.agent), for a node that is "
          + "this one.", valueName: "host:port"))
    var agent: String?

    @Flag(
      name: .long,
      help:
        "End as after Ctrl-C when standard input ends, for programs that run this one elsewhere.")
    var endWithInput = false

    func validate() throws {
      guard [names, agent].compactMap(\.self).count < 2 else {
        throw ValidationError("Take one of --names and --agent.")
      }
    }

    func inspector() throws(ReplayError) -> NodeInspector {
      let isHere = FileManager.default.fileExists(atPath: Self.socket)
      let address = from ?? (isHere ? "infrap4d:unix:\(Self.socket)" : Self.loopback)
      return try NodeInspector(address, security: live.security)
    }

    /// An agent that was not asked for by name need not be there.
    func names(_ inspector: NodeInspector) async throws(ReplayError) -> NodeNames {
      if let names { return try NodeNames(contentsOf: names) }
      if let agent { return try await NodeNames.ask(agent) }
      guard !numeric, inspector.isLocal else { return NodeNames() }
      return (try? await NodeNames.ask(NodeNames.agent)) ?? NodeNames()
    }
  }

  extension NodeOptions {
    /// Runs what a command does on a running node, and waits for it.
    func run<Result: Sendable>(
      _ body: @escaping @Sendable (Interruption) async throws(ReplayError) -> Result
    ) throws(ReplayError) -> Result {
      let interruption = Interruption()
      if endWithInput { interruption.endWithInput() }
      return try interruption.run(body)
    }
  }
#endif
