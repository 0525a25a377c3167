/// A transport that Services know, by its IP protocol number (IANA).
public enum TransportProtocol: UInt8, CaseIterable, Hashable, Sendable, Codable {
  case tcp = 6
  case udp = 17

  /// As Kubernetes spells it.
  public var name: String {
    switch self {
    case .tcp: "TCP"
    case .udp: "UDP"
    }
  }
}
