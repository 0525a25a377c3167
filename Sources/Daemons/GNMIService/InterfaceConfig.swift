import Core
import Hosting

/// What clients have set of one interface. It becomes a port when its type is known.
public struct InterfaceConfig: Hashable, Sendable, Codable {
  public var name: String
  public var kind: PortKind?
  public var mtu: Int?
  public var hostName: String?
  public var pipelineName: String?
  public var mempoolName: String?
  public var packetDirection: String?
  /// Path of the network namespace that a TAP is made in.
  public var netns: String?
  /// The TAP's name there.
  public var ifname: String?
  public var macAddress: MACAddress?

  public init(name: String) { self.name = name }

  /// The port that it asks for, or nil while its type is not known.
  var port: PortDescription? {
    kind.map {
      PortDescription(
        name: name, kind: $0, mtu: mtu ?? Self.defaultMTU,
        place: netns.map { InterfacePlace(netns: $0, name: ifname ?? name) },
        macAddress: macAddress)
    }
  }

  static let defaultMTU = 1500
}

/// Keeps what clients have set, for the next start.
public protocol InterfaceJournal: Sendable {
  /// Everything there is now.
  func save(_ interfaces: [InterfaceConfig]) async
}
