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

/// What a client of a Service port asks for.
public struct ServiceAddress: Hashable, Sendable, Codable, CustomStringConvertible {
  public var address: IPv4Address
  public var transport: TransportProtocol
  public var port: UInt16

  public init(_ address: IPv4Address, _ transport: TransportProtocol, _ port: UInt16) {
    self.address = address
    self.transport = transport
    self.port = port
  }

  public var description: String { "\(address):\(port)/\(transport.name)" }
}
