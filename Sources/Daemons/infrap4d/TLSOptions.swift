import ArgumentParser
import Certificates
import Foundation
import GRPCNIOTransportHTTP2
import Logging
import Serving

/// Who may connect.
struct TLSOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The folder with ca.crt, stratum.crt and stratum.key.",
      discussion: "When none of them is there, an authority and certificates for server and "
        + "client are made in it."))
  var certs = "/usr/share/stratum/certs"

  @Option(help: "Names or addresses for which a certificate that is made shall be good.")
  var certHosts = ["localhost", "127.0.0.1", "::1"]

  @Flag(inversion: .prefixedNo, help: "Serve without TLS to anybody who can reach the ports.")
  var insecure = false

  /// - Parameter addresses: where it is listened; Unix sockets need no certificates.
  func security(
    for addresses: [ListenAddress], _ logger: Logger
  ) throws -> HTTP2ServerTransport.Posix.TransportSecurity {
    if addresses.allSatisfy({ if case .unix = $0 { true } else { false } }) { return .plaintext }
    if insecure {
      logger.warning("serving without TLS: anybody who can reach the ports controls the node")
      return .plaintext
    }
    let folder = CertificateFolder(certs)
    if folder.isEmpty {
      try CertificateSet(hosts: certHosts, now: Date()).write(to: certs)
      logger.notice(
        "made certificates; clients need ca.crt, client.crt and client.key",
        metadata: ["folder": "\(certs)", "hosts": "\(certHosts.joined(separator: ","))"])
    }
    try folder.check(now: Date())
    if folder.hasReadableKey {
      logger.warning(
        "the server's key can be read by other users", metadata: ["file": "\(folder.key)"])
    }
    return .mTLS(
      certificateChain: [.file(path: folder.certificate, format: .pem)],
      privateKey: .file(path: folder.key, format: .pem)
    ) {
      $0.trustRoots = .certificates([.file(path: folder.authority, format: .pem)])
    }
  }
}
