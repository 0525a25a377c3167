import ArgumentParser
import Replay

#if Infrap4d
  import LiveReplay
#endif

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
    #if Infrap4d
      try factory.adding(live: names, certificates: certs)
    #else
      guard let name = names.first(where: { $0.hasPrefix("infrap4d:") }) else { return factory }
      throw ReplayError(
        "dataplane \(name)", "is not in this build; rebuild with the trait Infrap4d")
    #endif
  }
}
