import Core

/// One thing that an agent asks of the node.
public enum Change: Hashable, Sendable, Codable {
  /// The node's own interface, and who answers ARP for the pods' gateway.
  case host(Intent.Interface, gateway: Intent.Interface)
  case pod(Intent.Interface)
  case removePod(IPv4Address)
  /// All endpoints of a Service port.
  case service(ServiceAddress, [Intent.Endpoint])
  case removeService(ServiceAddress)
}
