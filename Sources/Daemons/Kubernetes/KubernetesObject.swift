/// What an API server keeps, as far as this node needs it.
public protocol KubernetesObject: Codable, Hashable, Sendable {
  /// Of the collection in all namespaces, such as `/api/v1/services`.
  static var path: String { get }
  static var kind: String { get }
  var metadata: ObjectMetadata { get }
}

/// What every object has.
public struct ObjectMetadata: Codable, Hashable, Sendable {
  public var name: String
  public var namespace: String?
  public var resourceVersion: String?
  public var labels: [String: String]?
  public var annotations: Annotations?

  /// Of all annotations, which may be long, those that are of use here.
  public struct Annotations: Codable, Hashable, Sendable {
    /// When the pod or Service changed that changed this EndpointSlice, in RFC 3339.
    public var lastChangeTriggerTime: String?

    private enum CodingKeys: String, CodingKey {
      case lastChangeTriggerTime = "endpoints.kubernetes.io/last-change-trigger-time"
    }

    public init(lastChangeTriggerTime: String? = nil) {
      self.lastChangeTriggerTime = lastChangeTriggerTime
    }
  }

  public init(
    name: String, namespace: String? = nil, resourceVersion: String? = nil,
    labels: [String: String]? = nil, annotations: Annotations? = nil
  ) {
    self.name = name
    self.namespace = namespace
    self.resourceVersion = resourceVersion
    self.labels = labels
    self.annotations = annotations
  }
}

/// Tells objects of a kind apart.
public struct ObjectName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Empty for those of the cluster.
  public var namespace: String
  public var name: String

  public init(_ namespace: String, _ name: String) {
    self.namespace = namespace
    self.name = name
  }

  public static func < (a: ObjectName, b: ObjectName) -> Bool {
    (a.namespace, a.name) < (b.namespace, b.name)
  }

  public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

extension KubernetesObject {
  public var objectName: ObjectName { ObjectName(metadata.namespace ?? "", metadata.name) }
}
