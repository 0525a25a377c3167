import ArgumentParser
import Replay

#if Infrap4d
  import Certificates
  import Infrap4dDataplane
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

  @Flag(name: .long, help: "infrap4d:HOST:PORT has no TLS.")
  var insecure = false

  #if Infrap4d
    var security: Infrap4dOptions.Security {
      insecure
        ? .plaintext
        : .certificates(CertificateFolder(certs, of: .client, setting: "--certs").files)
    }
  #endif

  /// A factory with the live dataplanes among names.
  ///
  /// - Parameter start: starts the one among them anew whenever it is made.
  func adding(
    _ names: [String], to factory: DataplaneFactory, start: String? = nil
  ) throws(ReplayError) -> DataplaneFactory {
    #if Infrap4d
      try factory.adding(live: names, security: security, start: start)
    #else
      guard let name = names.first(where: { $0.hasPrefix("infrap4d:") }) else { return factory }
      throw ReplayError(
        "dataplane \(name)", "is not in this build; rebuild with the trait Infrap4d")
    #endif
  }
}
