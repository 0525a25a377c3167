import ArgumentParser
import LiveReplay
import Replay

/// How to reach a running infrap4d.
struct LiveOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder with ca.crt, client.crt and client.key, for infrap4d:HOST:PORT.",
      valueName: "dir"))
  var certs = "/usr/share/stratum/certs"

  /// A factory with the live dataplanes among names.
  func adding(_ names: [String], to factory: DataplaneFactory) throws(ReplayError)
    -> DataplaneFactory
  {
    try factory.adding(live: names, certificates: certs)
  }
}
