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
  /// The first and the longest pause between two attempts to connect.
  public var backoff = Duration.milliseconds(100)...Duration.seconds(5)

  public init() {}

  /// A connection as these options say, for either of the server's services.
  ///
  /// - Throws: for certificates that cannot be read.
  public func transport() throws -> HTTP2ClientTransport.Posix {
    let security: HTTP2ClientTransport.Posix.TransportSecurity
    switch self.security {
    case .plaintext: security = .plaintext
    case .mutualTLS(let folder):
      security = .mTLS(
        certificateChain: [.file(path: folder + "/client.crt", format: .pem)],
        privateKey: .file(path: folder + "/client.key", format: .pem)
      ) { $0.trustRoots = .certificates([.file(path: folder + "/ca.crt", format: .pem)]) }
    }
    switch address {
    case .tcp(let host, let port):
      return try .http2NIOPosix(target: .dns(host: host, port: port), transportSecurity: security)
    case .unix(let path):
      // Who may open the socket is decided by its permissions; there is no TLS on it.
      return try .http2NIOPosix(
        target: .unixDomainSocket(path: path, authority: "localhost"), transportSecurity: .plaintext
      )
    }
  }
}
