import Foundation

/// discovery.k8s.io/v1 EndpointSlice.
public struct EndpointSlice: KubernetesObject {
  public static let path = "/apis/discovery.k8s.io/v1/endpointslices"
  public static let kind = "EndpointSlice"
  /// The label that names the Service.
  public static let serviceLabel = "kubernetes.io/service-name"

  public struct Conditions: Codable, Hashable, Sendable {
    public var ready: Bool?
    public var serving: Bool?
    public var terminating: Bool?

    public init(ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil) {
      self.ready = ready
      self.serving = serving
      self.terminating = terminating
    }
  }

  public struct Endpoint: Codable, Hashable, Sendable {
    public var addresses: [String]
    public var conditions: Conditions?
    public var nodeName: String?

    public init(addresses: [String], conditions: Conditions? = nil, nodeName: String? = nil) {
      self.addresses = addresses
      self.conditions = conditions
      self.nodeName = nodeName
    }
  }

  public struct Port: Codable, Hashable, Sendable {
    public var name: String?
    /// "TCP" unless given.
    public var `protocol`: String?
    /// nil is any port, which no Service of ours can use.
    public var port: Int?

    public init(name: String? = nil, protocol: String? = nil, port: Int? = nil) {
      self.name = name
      self.protocol = `protocol`
      self.port = port
    }
  }

  public var metadata: ObjectMetadata
  /// IPv4, IPv6 or FQDN.
  public var addressType: String
  public var endpoints: [Endpoint]?
  public var ports: [Port]?

  public init(
    metadata: ObjectMetadata, addressType: String = "IPv4", endpoints: [Endpoint]? = nil,
    ports: [Port]? = nil
  ) {
    self.metadata = metadata
    self.addressType = addressType
    self.endpoints = endpoints
    self.ports = ports
  }

  /// When the pod or Service changed that changed this, if Kubernetes says so.
  public var changed: Date? {
    guard let text = metadata.annotations?.lastChangeTriggerTime else { return nil }
    // Go leaves out a fraction that is 0.
    return (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
      ?? (try? Date.ISO8601FormatStyle().parse(text))
  }

  /// The Service that it is of, or nil.
  public var service: ObjectName? {
    metadata.labels?[Self.serviceLabel].map { ObjectName(metadata.namespace ?? "", $0) }
  }
}
