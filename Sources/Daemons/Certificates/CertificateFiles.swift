import Foundation
import Glibc
import X509

/// The certificate files of one end, checked before anything listens or connects.
public struct CertificateFiles: Hashable, Sendable {
  public struct File: Hashable, Sendable {
    public var path: String
    /// What to do when it is not there.
    public var cure: String

    public init(_ path: String, cure: String) {
      self.path = path
      self.cure = cure
    }

    /// - Parameter setting: what says where it is: a setting or an option.
    public static func ofAClient(_ path: String, setting: String) -> File {
      File(path, cure: "scripts/tls/gen_certs.sh makes it, or say with \(setting) where it is")
    }
  }

  public var authority: File
  public var certificate: File
  public var key: File

  public init(authority: File, certificate: File, key: File) {
    self.authority = authority
    self.certificate = certificate
    self.key = key
  }

  /// Says in one line what is wrong: a file that is not there, is no PEM, or has run
  /// out; a key that is not the certificate's.
  ///
  /// - Throws: ``CertificateError``.
  public func check(now: Date) throws(CertificateError) {
    for file in [authority, certificate] {
      guard let first = try certificates(of: file).first else {
        throw CertificateError(file.path, "has no certificate in it")
      }
      guard now <= first.notValidAfter else {
        throw CertificateError(
          file.path, "ran out on \(first.notValidAfter.formatted(.iso8601)); \(Self.renewal)")
      }
      guard now >= first.notValidBefore else {
        throw CertificateError(file.path, "is not good yet; check the clock of this machine")
      }
    }
    let text = try text(of: key)
    guard let parsed = try? Certificate.PrivateKey(pemEncoded: text) else {
      throw CertificateError(key.path, "is no private key in PEM form")
    }
    guard try certificates(of: certificate).first?.publicKey == parsed.publicKey else {
      throw CertificateError(
        key.path, "is not the key of \(certificate.path); \(Self.renewal)")
    }
  }

  private static let renewal = "scripts/tls/gen_certs.sh --renew makes a new set"

  private func text(of file: File) throws(CertificateError) -> String {
    guard let data = FileManager.default.contents(atPath: file.path) else {
      let isAbsent = access(file.path, F_OK) != 0 && errno == ENOENT
      throw CertificateError(
        file.path,
        isAbsent
          ? "is not there; \(file.cure)"
          : "cannot be read; check its permissions and those of its folders")
    }
    return String(decoding: data, as: UTF8.self)
  }

  private func certificates(of file: File) throws(CertificateError) -> [Certificate] {
    let begin = "-----BEGIN CERTIFICATE-----"
    let parts = try text(of: file).components(separatedBy: begin).dropFirst()
    do { return try parts.map { try Certificate(pemEncoded: begin + $0) } } catch {
      throw CertificateError(file.path, "is no certificate in PEM form")
    }
  }
}
