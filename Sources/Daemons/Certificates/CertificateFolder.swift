import Foundation
import Glibc

/// A folder that has the certificate files of one end.
public struct CertificateFolder: Sendable {
  public enum End: Sendable { case server, client }

  public let path: String
  public let files: CertificateFiles

  /// - Parameter setting: what names the folder of a client: a setting or an option.
  public init(_ path: String, of end: End = .server, setting: String = "Certs") {
    self.path = path
    func file(_ name: String) -> CertificateFiles.File {
      switch end {
      case .server:
        .init(
          path + "/" + name,
          cure: "give --certs the folder of your certificates, or let it be empty to have some made"
        )
      case .client: .ofAClient(path + "/" + name, setting: setting)
      }
    }
    files = CertificateFiles(
      authority: file(CertificateSet.ca),
      certificate: file(
        end == .server ? CertificateSet.serverCertificate : CertificateSet.clientCertificate),
      key: file(end == .server ? CertificateSet.serverKey : CertificateSet.clientKey))
  }

  public var authority: String { files.authority.path }
  public var certificate: String { files.certificate.path }
  public var key: String { files.key.path }

  /// Whether none of its files is there. One that cannot be looked at may be.
  public var isEmpty: Bool {
    [authority, certificate, key].allSatisfy { (file: String) in
      access(file, F_OK) != 0 && errno != EACCES
    }
  }

  /// Whether users other than its owner may read the server's key.
  public var hasReadableKey: Bool {
    var status = stat()
    return stat(key, &status) == 0 && status.st_mode & 0o077 != 0
  }

  /// Says in one line what is wrong with its files.
  ///
  /// - Throws: ``CertificateError``.
  public func check(now: Date) throws(CertificateError) { try files.check(now: now) }
}
