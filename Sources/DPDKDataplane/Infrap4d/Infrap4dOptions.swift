import Certificates
import Core
import Foundation
import GRPCNIOTransportHTTP2
import P4RuntimeCodec
import P4RuntimeProtos

/// Where an `infrap4d` is, and how to drive it.
public struct Infrap4dOptions: Sendable {
  public enum Address: Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    case unix(path: String)

    public var description: String {
      switch self {
      case .tcp(let host, let port): "\(host):\(port)"
      case .unix(let path): "unix:\(path)"
      }
    }
  }

  public enum Security: Sendable {
    case plaintext
    /// A folder with `ca.crt`, `client.crt` and `client.key`.
    case mutualTLS(folder: String)
    /// Files that may have other names.
    case certificates(CertificateFiles)

    /// nil without TLS.
    var files: CertificateFiles? {
      switch self {
      case .plaintext: nil
      case .mutualTLS(let folder): CertificateFolder(folder, of: .client).files
      case .certificates(let files): files
      }
    }
  }

  /// P4Runtime's default port (IANA) on this machine.
  public var address = Address.tcp(host: "localhost", port: 9559)
  /// Where upstream's `infrap4d` and ours keep certificates.
  public var security = Security.mutualTLS(folder: "/usr/share/stratum/certs")
  /// P4Runtime's `device_id`.
  public var deviceID: UInt64 = 1
  /// The election id. By default the seconds since 1970, so that a controller that
  /// starts again outranks the one that it was.
  public var electionID = UInt64(Date().timeIntervalSince1970)
  /// What the server shall run: it is pushed unless it runs there. nil takes what runs.
  public var pipeline: P4_V1_ForwardingPipelineConfig?
  /// What shall be in its tables when the client starts; nil takes what is there when
  /// nothing is pushed, and nothing otherwise.
  public var entries: [TableEntry]?
  /// Whether a client without ``entries`` takes what is there also when it has a pipeline, and
  /// the server runs that one already.
  public var adoptsEntries = false
  /// How many ports upstream's server must have before the pipeline is pushed: it takes none
  /// afterwards. nil pushes when there are any.
  public var ports: Int?
  /// Updates in one Write at most.
  public var batchSize = 1000
  /// How long a call waits for a server that is away.
  public var patience = Duration.seconds(30)
  /// How long a server may leave it open who is primary: upstream's says nothing to a
  /// controller with the election id of another.
  public var silence = Duration.seconds(5)
  /// The first and the longest pause between two attempts to connect. A node has to be itself
  /// again within 2 s of a program's return, however long it was away.
  public var backoff = Duration.milliseconds(100)...Duration.milliseconds(500)

  public init() {}

  /// A connection as these options say, for either of the server's services.
  ///
  /// - Throws: ``CertificateError``.
  public func transport() throws -> HTTP2ClientTransport.Posix {
    switch address {
    case .tcp(let host, let port):
      var security = HTTP2ClientTransport.Posix.TransportSecurity.plaintext
      if let files = self.security.files {
        try files.check(now: Date())
        security = .mTLS(
          certificateChain: [.file(path: files.certificate.path, format: .pem)],
          privateKey: .file(path: files.key.path, format: .pem)
        ) { $0.trustRoots = .certificates([.file(path: files.authority.path, format: .pem)]) }
      }
      return try .http2NIOPosix(
        target: Self.target(host, port), transportSecurity: security, config: config,
        resolverRegistry: ServerNameRegistry.all)
    case .unix(let path):
      // Who may open the socket is decided by its permissions; there is no TLS on it.
      return try .http2NIOPosix(
        target: .unixDomainSocket(path: path, authority: "localhost"),
        transportSecurity: .plaintext, config: config,
        resolverRegistry: ServerNameRegistry.all)
    }
  }

  /// As ``transport()`` for a program that asks once: without certificates and without a server on
  /// this machine, it is the server that is missed first.
  ///
  /// - Throws: ``ConnectionFailure``, ``CertificateError``.
  public func transportNow() throws -> HTTP2ClientTransport.Posix {
    do { return try transport() } catch let error as CertificateError {
      if case .tcp(let host, let port) = address, Loopback.refuses(host, port) {
        throw ConnectionFailure.nobody
      }
      throw error
    }
  }

  /// An address is no name that TLS could send with its hello (RFC 6066, section 3); the server's
  /// certificate is held against the address itself then.
  private static func target(_ host: String, _ port: Int) -> any ResolvableTarget {
    if IPv4Address(host) != nil { return .ipv4(address: host, port: port) }
    if host.contains(":") { return .ipv6(address: host, port: port) }
    return .dns(host: host, port: port)
  }

  /// gRPC's own pauses would become minutes.
  private var config: HTTP2ClientTransport.Posix.Config {
    .defaults {
      $0.backoff.initial = backoff.lowerBound
      $0.backoff.max = backoff.upperBound
    }
  }
}
