import ArgumentParser
import Core
import Foundation
import Glibc

/// The program.
@main
struct InfraAgentProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infraagent",
    abstract: "Connects a node's pods to the pipeline and keeps its Services there.",
    version: Release.version,
    subcommands: [Run.self, CheckManager.self, CheckCalicoConfig.self],
    defaultSubcommand: Run.self)

  static let defaultFile = "/etc/infra/infraagent.yaml"

  /// As the default, but bad options end with 2.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      try? FileHandle.standardError.write(contentsOf: Data((fullMessage(for: error) + "\n").utf8))
      Glibc.exit(2)
    }
  }
}
