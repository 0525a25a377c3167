/// What a node's pipeline shall do: the interfaces it joins and the Services it
/// serves. ``IntentCompiler`` turns it into table entries.
public struct Intent: Hashable, Sendable, Codable {
  /// A pod, the host or the gateway, and the port of the pipeline it is on.
  public struct Interface: Hashable, Sendable, Codable {
    /// Empty when it is not known, as after ``ProgrammedState``.
    public var name: String
    public var ip: IPv4Address
    public var mac: MACAddress
    public var port: PortID

    public init(name: String, ip: IPv4Address, mac: MACAddress, port: PortID) {
      self.name = name
      self.ip = ip
      self.mac = mac
      self.port = port
    }
  }

  /// One backend of a Service port.
  public struct Endpoint: Hashable, Sendable, Codable {
    public var address: IPv4Address
    public var port: UInt16
    /// Share of new flows relative to the other endpoints. 0 means draining:
    /// the endpoint keeps its flows and gets no new one.
    public var weight: UInt32

    public init(address: IPv4Address, port: UInt16, weight: UInt32 = 1) {
      self.address = address
      self.port = port
      self.weight = weight
    }
  }

  /// A port of a Service and the endpoints behind it.
  public struct ServicePort: Hashable, Sendable, Codable {
    public var transport: TransportProtocol
    public var port: UInt16
    public var endpoints: [Endpoint]

    public init(transport: TransportProtocol, port: UInt16, endpoints: [Endpoint]) {
      self.transport = transport
      self.port = port
      self.endpoints = endpoints
    }
  }

  /// A Service: one virtual address and its ports.
  public struct Service: Hashable, Sendable, Codable {
    public var name: String
    public var clusterIP: IPv4Address
    public var ports: [ServicePort]

    public init(name: String, clusterIP: IPv4Address, ports: [ServicePort]) {
      self.name = name
      self.clusterIP = clusterIP
      self.ports = ports
    }
  }

  /// The pods' default gateway, answered for by the ARP proxy.
  public var gateway: Interface?
  public var host: Interface?
  public var pods: [Interface]
  public var services: [Service]

  public init(
    gateway: Interface? = nil, host: Interface? = nil, pods: [Interface] = [],
    services: [Service] = []
  ) {
    self.gateway = gateway
    self.host = host
    self.pods = pods
    self.services = services
  }
}
