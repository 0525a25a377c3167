import ArgumentParser
import DaemonConfiguration

/// The options of every command that reads settings: upstream's flags are settings by another
/// name, spelled as upstream spells them.
struct AgentOptions: ParsableArguments, Sendable {
  @OptionGroup var options: ConfigurationOptions

  @Option(name: .customLong("interfaceType"), help: "The setting interfaceType.")
  var interfaceType: String?
  @Option(help: "The setting interface.") var interface: String?
  @Option(name: .customLong("tapPrefix"), help: "The setting tapPrefix.")
  var tapPrefix: String?

  func read() throws(ConfigurationError) -> Configuration {
    let flags = ["interfaceType": interfaceType, "interface": interface, "tapPrefix": tapPrefix]
    return try options.read(
      AgentSettings.all, flags: flags.compactMapValues(\.self),
      file: InfraAgentProgram.defaultFile, isPerNode: true, prefix: AgentSettings.prefix)
  }
}
