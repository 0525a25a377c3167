/// core/v1 Node.
public struct Node: KubernetesObject {
  public static let path = "/api/v1/nodes"
  public static let kind = "Node"

  public struct Spec: Codable, Hashable, Sendable {
    public var podCIDR: String?
    public var podCIDRs: [String]?

    public init(podCIDR: String? = nil, podCIDRs: [String]? = nil) {
      self.podCIDR = podCIDR
      self.podCIDRs = podCIDRs
    }
  }

  public var metadata: ObjectMetadata
  public var spec: Spec?

  public init(metadata: ObjectMetadata, spec: Spec? = nil) {
    self.metadata = metadata
    self.spec = spec
  }

  /// Prefixes of its pods, of IPv4 and IPv6.
  public var podCIDRs: [String] { spec?.podCIDRs ?? (spec?.podCIDR).map { [$0] } ?? [] }
}
