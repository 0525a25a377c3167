import Core

/// One thing that an agent asks of the node.
public enum Change: Hashable, Sendable, Codable {
  /// The node's own interface, and who answers ARP for the pods' gateway.
  case host(Intent.Interface, gateway: Intent.Interface)
  /// A pod, at an address that is no other interface's.
  case pod(Intent.Interface)
  /// The pod at an address, if it is on this interface: a late request must not take the
  /// address from the pod that has it now. nil is any interface.
  case removePod(IPv4Address, interface: String?)
  /// All endpoints of a Service port.
  case service(ServiceAddress, [Intent.Endpoint])
  case removeService(ServiceAddress)
  /// What was found in the pipeline and no agent has asked for since.
  case removeUnclaimed
}
