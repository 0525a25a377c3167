import Core

/// A flow to a Service as its client knows it. An end is address << 16 | port.
struct FuzzFlow: Hashable {
  /// A Service port: transport and end.
  struct Service: Hashable {
    var transport: UInt8
    var end: UInt64

    init(transport: UInt8, end: UInt64) {
      self.transport = transport
      self.end = end
    }

    /// Of a row of `services`: dst_ip, dst_port, kind.
    init(_ row: TableEntry) {
      transport = UInt8(truncatingIfNeeded: row.key[2])
      end = row.key[0] << 16 | row.key[1]
    }
  }

  var client: UInt64
  var service: Service
}

/// A frame of a client to a Service port, and where it went.
struct FuzzRequest {
  var flow: FuzzFlow
  /// The endpoint's end; nil when it was dropped, or not translated.
  var endpoint: UInt64?
  var reason: DropReason?
  /// The first fragment of a packet.
  var isFragment: Bool
  /// nil for UDP.
  var flags: TCPFlags?

  /// A SYN that asks for a new connection: nothing but ECN beside it (R4).
  var opens: Bool {
    guard let flags else { return true }
    return flags.contains(.syn) && flags.isDisjoint(with: [.ack, .fin, .rst])
  }

  /// nil for what is neither TCP nor UDP with its ports.
  init?(before: [UInt8], after: [UInt8], verdict: Verdict) {
    let old = FrameLayers(before)
    guard let ip = old.ipv4, ip.offset == 0, TransportProtocol(rawValue: ip.transport) != nil,
      let client = Self.end(old, ip, ip.source, 0),
      let server = Self.end(old, ip, ip.destination, 2)
    else { return nil }
    isFragment = ip.hasMore
    flow = FuzzFlow(
      client: client, service: FuzzFlow.Service(transport: ip.transport, end: server))
    switch verdict {
    case .drop(let reason): self.reason = reason
    case .forward:
      let new = FrameLayers(after)
      if let now = new.ipv4, let end = Self.end(new, now, now.destination, 2), end != server {
        endpoint = end
      }
    }
    if ip.transport == TransportProtocol.tcp.rawValue {
      guard before.indices.contains(ip.header.upperBound + TCPHeader.flags) else { return nil }
      flags = TCPFlags(rawValue: before[ip.header.upperBound + TCPHeader.flags])
    }
  }

  private static func end(
    _ layers: FrameLayers, _ ip: IPv4Layer, _ address: IPv4Address, _ port: Int
  ) -> UInt64? {
    layers.u16(ip.header.upperBound + port).map { UInt64(address.value) << 16 | UInt64($0) }
  }
}
