import ArgumentParser

@main
struct K8sDPCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "k8sdp", abstract: "Replays captures through the k8s_dp pipeline.", subcommands: [BenchCommand.self])
}
