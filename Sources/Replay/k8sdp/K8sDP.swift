import ArgumentParser
import Core
import Foundation
import Logging
import Replay

/// The `k8sdp` command.
struct K8sDP: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "k8sdp",
    abstract: "Shows what the k8s_dp packet pipeline does with packets, captured or live.",
    discussion: """
      A state file says which pods and Services a node has; captures say what packets it \
      gets, and on which port. Times in the captures drive everything: the same files always \
      give the same answer. Of a running node, capture, flows, top, why and snapshot tell.

      Exit codes: 0 = as hoped, 1 = a difference or failed expectation, 2 = bad input.

      Examples:
        k8sdp check state.yaml
        k8sdp trace --state state.yaml --in 2=client.pcapng --frame 4711
        k8sdp replay --state state.yaml --in 2=client.pcap --in 3=web.pcap --out out
        k8sdp compare --state state.yaml --in 2=client.pcap --report report.html
        k8sdp why 10.244.0.6 10.96.0.80:80
      """,
    version: Release.version,
    subcommands: [
      ReplayCommand.self, CompareCommand.self, TableCommand.self, TraceCommand.self,
      WhyCommand.self, CheckCommand.self, DifferencesCommand.self, FuzzCommand.self,
      MutateCommand.self,
      BenchCommand.self,
    ] + withARunningNode)

  /// Those that need a running infrap4d: ``LiveCommands/names``.
  private static var withARunningNode: [any ParsableCommand.Type] {
    #if Infrap4d
      [
        CaptureCommand.self, FlowsCommand.self, TopCommand.self, SnapshotCommand.self,
        ApplyCommand.self,
      ]
    #else
      []
    #endif
  }

  /// As parseAsRoot(), which knows nothing of commands that this build has not.
  static func parsed() throws -> any ParsableCommand {
    #if !Infrap4d
      if let refusal = LiveCommands.refusal(CommandLine.arguments.dropFirst()) { throw refusal }
    #endif
    return try parseAsRoot()
  }
}

@main
enum Main {
  static func main() {
    LoggingSystem.bootstrap { _ in TerminalLogHandler() }
    do {
      var command = try K8sDP.parsed()
      try command.run()
    } catch let error as ReplayError {
      Terminal.error(error.description)
      exit(2)
    } catch {
      let text = K8sDP.fullMessage(for: error)
      switch K8sDP.exitCode(for: error) {
      case .success:
        if !text.isEmpty { print(text) }
      case ExitCode(1) where text.isEmpty:
        exit(1)
      default:
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
        exit(2)
      }
    }
  }
}
