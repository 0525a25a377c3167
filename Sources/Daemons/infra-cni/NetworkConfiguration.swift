import DaemonLog
import Foundation

/// The configuration of a network, from standard input.
struct NetworkConfiguration: Decodable, Sendable {
  struct IPAM: Decodable {
    var type: String?
  }

  /// An attachment that the runtime knows of, in a GC.
  struct Attachment: Codable, Hashable {
    var containerID: String
    var ifname: String
  }

  var version: CNIVersion
  var name: String
  var ipam: IPAM?
  /// Bytes of an IP packet; nil leaves the TAP's.
  var mtu: Int32?
  /// The Infra Agent: `HOST:PORT` or `unix:PATH`.
  var agent: String
  /// Where attachments are written down.
  var dataDir: String
  /// How much is said on standard error, which runtimes keep; nil is nothing.
  var log: DaemonLog.Options?
  var dns: JSON?
  var prevResult: CNIResult?
  /// nil when the runtime did not say.
  var validAttachments: [Attachment]?
  /// As it came, for the IPAM plugin.
  var bytes = Data()

  private enum Keys: String, CodingKey {
    case cniVersion, name, ipam, mtu, agent, dataDir, dns, prevResult, logLevel, logFormat
    case validAttachments = "cni.dev/valid-attachments"
  }

  init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: Keys.self)
    let text = try keys.decodeIfPresent(String.self, forKey: .cniVersion) ?? "0.1.0"
    guard let version = CNIVersion(rawValue: text) else {
      throw CNIError(
        .incompatibleVersion, "cniVersion \(text) is not supported",
        "use \(CNIVersion.allCases.map(\.rawValue).joined(separator: " or "))")
    }
    self.version = version
    name = try keys.decodeIfPresent(String.self, forKey: .name) ?? ""
    guard name.isIdentifier else {
      throw CNIError(
        .invalidConfiguration, "name is \(name.isEmpty ? "missing" : "no identifier")",
        "letters and digits, and after the first also . _ -")
    }
    ipam = try keys.decodeIfPresent(IPAM.self, forKey: .ipam)
    mtu = try keys.decodeIfPresent(Int32.self, forKey: .mtu)
    agent = try keys.decodeIfPresent(String.self, forKey: .agent) ?? "127.0.0.1:50001"
    dataDir = try keys.decodeIfPresent(String.self, forKey: .dataDir) ?? "/run/infra-cni"
    guard dataDir.hasPrefix("/") else {
      throw CNIError(.invalidConfiguration, "dataDir is no absolute path")
    }
    log = try Self.log(
      level: try keys.decodeIfPresent(String.self, forKey: .logLevel),
      format: try keys.decodeIfPresent(String.self, forKey: .logFormat))
    dns = try keys.decodeIfPresent(JSON.self, forKey: .dns)
    prevResult = try keys.decodeIfPresent(CNIResult.self, forKey: .prevResult)
    validAttachments = try keys.decodeIfPresent([Attachment].self, forKey: .validAttachments)
  }

  private static func log(
    level: String?, format: String?
  ) throws(CNIError) -> DaemonLog.Options? {
    guard let level else { return nil }
    let values = ["LogLevel": level, "LogFormat": format]
    do {
      return try DaemonLog.Options { values[$0] ?? nil }
    } catch {
      let key = error.name == "LogLevel" ? "logLevel" : "logFormat"
      throw CNIError(.invalidConfiguration, "\(key): \(error.message)")
    }
  }

  /// As it came, with another result as the previous one.
  func bytes(after result: CNIResult) throws -> Data {
    var all = try JSONDecoder().decode([String: JSON].self, from: bytes)
    all["prevResult"] = try JSONDecoder().decode(JSON.self, from: JSONEncoder().encode(result))
    return try JSONEncoder().encode(all)
  }

  /// - Throws: ``CNIError``.
  static func parse(_ bytes: Data) throws -> NetworkConfiguration {
    do {
      var configuration = try JSONDecoder().decode(Self.self, from: bytes)
      configuration.bytes = bytes
      return configuration
    } catch let error as DecodingError {
      throw CNIError(.undecodable, "the configuration cannot be read", error.reason)
    }
  }
}

extension DecodingError {
  /// Where and why, in one line.
  var reason: String {
    let (context, key): (Context, (any CodingKey)?) =
      switch self {
      case .typeMismatch(_, let context), .valueNotFound(_, let context),
        .dataCorrupted(let context):
        (context, nil)
      case .keyNotFound(let key, let context): (context, key)
      @unknown default: (Context(codingPath: [], debugDescription: "\(self)"), nil)
      }
    let path = (context.codingPath + [key].compactMap(\.self)).map(\.stringValue)
    return (path.isEmpty ? "" : path.joined(separator: ".") + ": ") + context.debugDescription
  }
}
