/// One interface of one container: what requests are about.
public struct PodInterface: Hashable, Sendable, CustomStringConvertible {
  /// Path of the network namespace, as the container runtime gave it.
  public var netns: String
  /// Name in the namespace.
  public var name: String

  public init(netns: String, name: String) {
    self.netns = netns
    self.name = name
  }

  public var description: String { "\(name) in \(netns)" }
}
