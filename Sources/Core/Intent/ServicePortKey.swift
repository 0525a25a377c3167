/// What makes a Service port unique in the pipeline: address, port, protocol.
struct ServicePortKey: Hashable, Comparable, Sendable, Codable {
  /// address << 24 | port << 8 | protocol: the order of addresses first.
  let packed: UInt64

  init(_ address: IPv4Address, _ port: Intent.ServicePort) {
    packed =
      UInt64(address.value) << 24 | UInt64(port.port) << 8 | UInt64(port.transport.rawValue)
  }

  /// - Parameter key: of a row of `services`.
  init(_ key: [UInt64]) {
    packed = (key[0] & 0xFFFF_FFFF) << 24 | (key[1] & 0xFFFF) << 8 | key[2] & 0xFF
  }

  var address: IPv4Address { IPv4Address(UInt32(packed >> 24)) }
  var port: UInt16 { UInt16(truncatingIfNeeded: packed >> 8) }
  var transport: TransportProtocol { packed & 0xFF == 17 ? .udp : .tcp }

  static func < (a: ServicePortKey, b: ServicePortKey) -> Bool { a.packed < b.packed }
}
