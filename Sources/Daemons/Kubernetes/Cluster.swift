import NIOSSL

/// Where an API server is, and who we are to it.
public struct Cluster: Sendable {
  /// `https://HOST:PORT`, maybe with a path, without a slash at the end.
  public var server: String
  /// Whom to trust; nil trusts what the machine trusts.
  public var authorities: [NIOSSLCertificate]?
  public var verifiesHostname = true
  public var clientCertificates: [NIOSSLCertificate] = []
  public var clientKey: NIOSSLPrivateKey?
  /// The bearer token of requests.
  public var token = Token.none

  public enum Token: Sendable {
    case none
    case text(String)
    /// Read anew for each request: service account tokens are replaced every hour.
    case file(String)
  }

  public init(server: String) {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
  }
}
