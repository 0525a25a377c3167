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

  /// Reads what ``description`` writes.
  public init?(_ text: String) {
    let parts = text.split(whereSeparator: { $0 == ":" || $0 == "/" })
    guard parts.count == 3, let address = IPv4Address(String(parts[0])),
      let port = UInt16(parts[1]),
      let transport = TransportProtocol.allCases.first(where: { $0.name == parts[2] })
    else { return nil }
    self.init(address, transport, port)
  }
}
