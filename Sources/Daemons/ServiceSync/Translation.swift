import Core

/// One port of a Service with all its endpoints: what the Infra Manager is told.
public struct Translation: Hashable, Sendable {
  public var service: ServiceAddress
  /// By ascending address and port, each once. None is a Service whose clients are refused.
  public var endpoints: [Endpoint]

  public struct Endpoint: Hashable, Sendable, Codable, Comparable {
    public var address: IPv4Address
    public var port: UInt16

    public init(_ address: IPv4Address, _ port: UInt16) {
      self.address = address
      self.port = port
    }

    public static func < (a: Endpoint, b: Endpoint) -> Bool {
      (a.address, a.port) < (b.address, b.port)
    }
  }

  public init(_ service: ServiceAddress, _ endpoints: some Sequence<Endpoint>) {
    self.service = service
    self.endpoints = Set(endpoints).sorted()
  }
}
