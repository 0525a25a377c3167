import Foundation
import Glibc
import X509

/// The certificate files of one end, checked before anything listens or connects.
public struct CertificateFolder: Sendable {
  public enum End: Sendable { case server, client }

  public let path: String
  public let end: End

  public init(_ path: String, of end: End = .server) {
    self.path = path
    self.end = end
  }

  public var authority: String { path + "/" + CertificateSet.ca }
  public var certificate: String {
    path + "/"
      + (end == .server ? CertificateSet.serverCertificate : CertificateSet.clientCertificate)
  }
  public var key: String {
    path + "/" + (end == .server ? CertificateSet.serverKey : CertificateSet.clientKey)
  }

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

  /// Says in one line what is wrong: a file that is not there, is no PEM, or has run
  /// out; a key that is not the certificate's.
  ///
  /// - Throws: ``CertificateError``.
  public func check(now: Date) throws(CertificateError) {
    for path in [authority, certificate] {
      let parsed: [Certificate]
      do {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        parsed = try certificates(inPEM: text)
      } catch let error as CocoaError {
        throw CertificateError(path, reason(error))
      } catch {
        throw CertificateError(path, "is no certificate in PEM form")
      }
      guard let first = parsed.first else {
        throw CertificateError(path, "has no certificate in it")
      }
      guard now <= first.notValidAfter else {
        throw CertificateError(
          path, "ran out on \(first.notValidAfter.formatted(.iso8601)); \(Self.renewal)")
      }
      guard now >= first.notValidBefore else {
        throw CertificateError(path, "is not good yet; check the clock of this machine")
      }
    }
    try checkKey()
  }

  private func checkKey() throws(CertificateError) {
    let text: String
    do { text = try String(contentsOfFile: key, encoding: .utf8) } catch {
      throw CertificateError(
        key,
        access(key, F_OK) != 0 && errno == ENOENT
          ? absent : "cannot be read; check its permissions and those of its folders")
    }
    guard let parsed = try? Certificate.PrivateKey(pemEncoded: text) else {
      throw CertificateError(key, "is no private key in PEM form")
    }
    guard let text = try? String(contentsOfFile: certificate, encoding: .utf8),
      let own = try? certificates(inPEM: text).first, own.publicKey == parsed.publicKey
    else {
      throw CertificateError(key, "is not the key of \(certificate); \(Self.renewal)")
    }
  }

  private static let renewal = "scripts/tls/gen_certs.sh --renew makes a new set"

  private var absent: String {
    end == .server
      ? "is not there; give --certs the folder of your certificates, or let it be empty to "
        + "have some made"
      : "is not there; scripts/tls/gen_certs.sh makes it, or name its folder in Certs"
  }

  private func reason(_ error: CocoaError) -> String {
    error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile
      ? absent : "cannot be read; check its permissions and those of its folders"
  }
}

private func certificates(inPEM text: String) throws -> [Certificate] {
  try text.components(separatedBy: "-----BEGIN CERTIFICATE-----").dropFirst().map {
    try Certificate(pemEncoded: "-----BEGIN CERTIFICATE-----" + $0)
  }
}
