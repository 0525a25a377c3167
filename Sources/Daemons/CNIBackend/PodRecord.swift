import Core
import Foundation
import InfraProtos
import Netlink

/// What is kept of one interface of one pod, from before the first step of an Add to
/// after the last of a Del.
struct PodRecord {
  var request: PodRequest
  /// The namespace that was at the path then.
  var namespace: NetworkNamespace.Identity
  /// The name of the TAP in infrap4d, and in the node's namespace.
  var tap: String
  var mac: MACAddress

  var interface: PodInterface { request.interface }
}

extension PodRecord {
  /// As JSON in a file.
  private struct Stored: Codable {
    var version: Int
    var tap: String
    var mac: String
    var namespace: NetworkNamespace.Identity
    /// The request in protobuf's JSON.
    var request: String
  }

  private static let version = 1

  var bytes: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      return try encoder.encode(
        Stored(
          version: Self.version, tap: tap, mac: mac.description, namespace: namespace,
          request: request.message.jsonString()))
    }
  }

  init(bytes: Data) throws {
    let stored = try JSONDecoder().decode(Stored.self, from: bytes)
    guard stored.version == Self.version else {
      throw CNIBackendError(.record, "version \(stored.version) is unknown")
    }
    guard let mac = MACAddress(stored.mac), Link.misnomer(stored.tap) == nil else {
      throw CNIBackendError(.record, "has no TAP")
    }
    request = try PodRequest(Cni_AddRequest(jsonString: stored.request))
    namespace = stored.namespace
    tap = stored.tap
    self.mac = mac
  }
}
