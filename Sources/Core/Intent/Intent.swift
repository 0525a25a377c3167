/// An IPv4 address in host order.
public struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var value: UInt32
  public init(_ value: UInt32) { self.value = value }
  /// Reads `a.b.c.d`, decimal, without leading zeros.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }),
        part.count == 1 || part.first != 48,
        let number = UInt8(String(decoding: part, as: UTF8.self))
      else { return nil }
      value = value << 8 | UInt32(number)
    }
    self.value = value
  }
  public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.value < b.value }
  public var description: String {
    "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
  }
}

/// A 48-bit Ethernet address.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
  public var value: UInt64
  public init(_ value: UInt64) { self.value = value }
  /// Reads six hexadecimal octets separated by colons.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 6 else { return nil }
    var value: UInt64 = 0
    for part in parts {
      let digits = String(decoding: part, as: UTF8.self)
      guard part.count == 2, part.first != 43, let octet = UInt8(digits, radix: 16) else {
        return nil
      }
      value = value << 8 | UInt64(octet)
    }
    self.value = value
  }
  public var description: String {
    stride(from: 40, through: 0, by: -8).map { shift in
      let octet = String(value >> UInt64(shift) & 255, radix: 16)
      return octet.count == 1 ? "0" + octet : octet
    }.joined(separator: ":")
  }
}

/// The transport protocols a Service can have; raw values are IP protocol numbers.
public enum TransportProtocol: UInt8, Sendable, CaseIterable {
  case tcp = 6
  case udp = 17
}

/// What the node should do: its interfaces and Services.
public struct Intent: Hashable, Sendable {
  public struct Interface: Hashable, Sendable {
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

  public struct Endpoint: Hashable, Sendable {
    public var address: IPv4Address
    public var port: UInt16
    /// 0 = draining: keeps its flows, gets no new one.
    public var weight: UInt32
    public init(address: IPv4Address, port: UInt16, weight: UInt32) {
      self.address = address
      self.port = port
      self.weight = weight
    }
  }

  public struct ServicePort: Hashable, Sendable {
    public var transport: TransportProtocol
    public var port: UInt16
    public var endpoints: [Endpoint]
    public init(transport: TransportProtocol, port: UInt16, endpoints: [Endpoint]) {
      self.transport = transport
      self.port = port
      self.endpoints = endpoints
    }
  }

  public struct Service: Hashable, Sendable {
    public var name: String
    public var clusterIP: IPv4Address
    public var ports: [ServicePort]
    public init(name: String, clusterIP: IPv4Address, ports: [ServicePort]) {
      self.name = name
      self.clusterIP = clusterIP
      self.ports = ports
    }
  }

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
