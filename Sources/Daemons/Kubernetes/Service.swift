/// core/v1 Service.
public struct Service: KubernetesObject {
  public static let path = "/api/v1/services"
  public static let kind = "Service"

  public struct Port: Codable, Hashable, Sendable {
    public var name: String?
    /// "TCP" unless given.
    public var `protocol`: String?
    public var port: Int

    public init(name: String? = nil, protocol: String? = nil, port: Int) {
      self.name = name
      self.protocol = `protocol`
      self.port = port
    }
  }

  public struct Spec: Codable, Hashable, Sendable {
    public var type: String?
    public var clusterIP: String?
    public var clusterIPs: [String]?
    public var ports: [Port]?
    public var internalTrafficPolicy: String?
    /// "None" unless given.
    public var sessionAffinity: String?

    public init(
      type: String? = nil, clusterIP: String? = nil, clusterIPs: [String]? = nil,
      ports: [Port]? = nil, internalTrafficPolicy: String? = nil, sessionAffinity: String? = nil
    ) {
      self.type = type
      self.clusterIP = clusterIP
      self.clusterIPs = clusterIPs
      self.ports = ports
      self.internalTrafficPolicy = internalTrafficPolicy
      self.sessionAffinity = sessionAffinity
    }
  }

  public var metadata: ObjectMetadata
  public var spec: Spec?

  public init(metadata: ObjectMetadata, spec: Spec?) {
    self.metadata = metadata
    self.spec = spec
  }
}
