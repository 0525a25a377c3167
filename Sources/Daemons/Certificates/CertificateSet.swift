import Crypto
import Foundation
import Glibc
import SwiftASN1
import X509

/// A private authority with one certificate for a server and one for its clients:
/// enough for mutual TLS on one node without any other tool.
public struct CertificateSet: Sendable {
  /// PEM texts by file name, as upstream's server names them.
  public private(set) var files: [String: String] = [:]

  public static let ca = "ca.crt"
  public static let serverCertificate = "stratum.crt"
  public static let serverKey = "stratum.key"
  public static let clientCertificate = "client.crt"
  public static let clientKey = "client.key"
  public static let names = [ca, serverCertificate, serverKey, clientCertificate, clientKey]

  /// How long a generated certificate is good: 825 days, the most that common TLS
  /// stacks accept of a server.
  public static let lifetime: TimeInterval = 825 * 86_400

  /// Makes keys (P-256) and certificates.
  ///
  /// - Parameters:
  ///   - hosts: names and addresses the server is reached by, `localhost` among them.
  ///   - now: the time from which they are good.
  public init(hosts: [String], now: Date) throws {
    let validity = (from: now.addingTimeInterval(-300), to: now.addingTimeInterval(Self.lifetime))
    let authorityKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let authority = try DistinguishedName { CommonName("infrap4d authority") }
    let root = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: authorityKey.publicKey,
      notValidBefore: validity.from, notValidAfter: validity.to, issuer: authority,
      subject: authority, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
      },
      issuerPrivateKey: authorityKey)
    files[Self.ca] = try root.serializeAsPEM().pemString + "\n"

    func issue(
      _ name: String, _ usage: ExtendedKeyUsage, _ alternatives: [GeneralName]
    ) throws -> (certificate: String, key: String) {
      let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
      let certificate = try Certificate(
        version: .v3, serialNumber: .init(), publicKey: key.publicKey,
        notValidBefore: validity.from, notValidAfter: validity.to, issuer: authority,
        subject: try DistinguishedName { CommonName(name) },
        signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.notCertificateAuthority)
          Critical(KeyUsage(digitalSignature: true))
          usage
          SubjectAlternativeNames(alternatives)
        },
        issuerPrivateKey: authorityKey)
      return (
        try certificate.serializeAsPEM().pemString + "\n", try key.serializeAsPEM().pemString + "\n"
      )
    }
    let server = try issue(
      "infrap4d", try ExtendedKeyUsage([.serverAuth]), hosts.map(Self.alternative))
    files[Self.serverCertificate] = server.certificate
    files[Self.serverKey] = server.key
    let client = try issue(
      "infrap4d client", try ExtendedKeyUsage([.clientAuth]), [.dnsName("client")])
    files[Self.clientCertificate] = client.certificate
    files[Self.clientKey] = client.key
  }

  private static func alternative(_ host: String) -> GeneralName {
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 {
      return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: four) { $0.array[...] }))
    }
    var six = in6_addr()
    if inet_pton(AF_INET6, host, &six) == 1 {
      return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: six) { $0.array[...] }))
    }
    return .dnsName(host)
  }

  /// Writes them into a folder: keys for this user only. Fails, and leaves nothing of
  /// its own behind, when one of them is there already.
  public func write(to folder: String) throws(CertificateError) {
    try Self.make(folder)
    var written: [String] = []
    for name in Self.names {
      let path = folder + "/" + name
      let mode: mode_t = name.hasSuffix(".key") ? 0o600 : 0o644
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
      let content = Array((files[name] ?? "").utf8)
      guard descriptor >= 0, Glibc.write(descriptor, content, content.count) == content.count
      else {
        let reason = String(cString: strerror(errno))
        if descriptor >= 0 { written.append(path) }
        for path in written { unlink(path) }
        throw CertificateError(path, "cannot be written: \(reason)")
      }
      close(descriptor)
      written.append(path)
    }
  }
}

extension CertificateSet {
  /// Only the folder itself is its user's alone; those above it stay passable for others.
  private static func make(_ folder: String) throws(CertificateError) {
    do {
      let above = URL(fileURLWithPath: folder).deletingLastPathComponent().path
      try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
    } catch {
      throw CertificateError(
        folder, "cannot be made; check the permissions of the folders above it")
    }
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
      throw CertificateError(folder, "cannot be made: \(String(cString: strerror(errno)))")
    }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var array: [UInt8] { Array(self) }
}

/// Why certificates cannot be used.
public struct CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
  public var path: String
  public var message: String
  public init(_ path: String, _ message: String) {
    self.path = path
    self.message = message
  }
  public var description: String { "\(path): \(message)" }
}
