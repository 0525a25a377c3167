import Core

/// NAT and then un-NAT is identity: a reply leaves with an address that its
/// client had asked for.
struct FuzzTranslations {
  private struct Pair: Hashable {
    var transport: UInt8
    var client: UInt64
    var endpoint: UInt64
  }

  /// Client and endpoint → the Service addresses that the client used to reach it.
  private var asked: [Pair: Set<UInt64>] = [:]

  /// A request that was dropped for want of room, or because another datagram has its
  /// identification: the entry for its replies may have been learned before. Which
  /// endpoint it has is not known: 0.
  mutating func refused(_ frame: [UInt8]) {
    let layers = FrameLayers(frame)
    guard let ip = layers.ipv4, ip.offset == 0 else { return }
    let client = end(layers, ip.source, ip, 0)
    asked[Pair(transport: ip.transport, client: client, endpoint: 0), default: []]
      .insert(end(layers, ip.destination, ip, 2))
  }

  /// - Returns: what is wrong with a forwarded frame, or nil.
  mutating func check(before: [UInt8], after: [UInt8]) -> String? {
    let old = FrameLayers(before)
    let new = FrameLayers(after)
    guard let was = old.ipv4, let now = new.ipv4, was.offset == 0,
      TransportProtocol(rawValue: was.transport) != nil
    else { return nil }
    let source = end(old, was.source, was, 0)
    let destination = end(old, was.destination, was, 2)
    let newSource = end(new, now.source, now, 0)
    let newDestination = end(new, now.destination, now, 2)
    if source != newSource, destination != newDestination {
      return "both ends of one packet were translated"
    }
    if destination != newDestination {
      asked[
        Pair(transport: was.transport, client: source, endpoint: newDestination), default: []
      ].insert(destination)
    }
    if source != newSource {
      let pair = Pair(transport: was.transport, client: destination, endpoint: source)
      let refused = Pair(transport: was.transport, client: destination, endpoint: 0)
      guard
        asked[pair]?.contains(newSource) == true || asked[refused]?.contains(newSource) == true
      else {
        return "a reply leaves with an address that its client never asked for"
      }
    }
    return nil
  }

  private func end(_ layers: FrameLayers, _ address: IPv4Address, _ ip: IPv4Layer, _ port: Int)
    -> UInt64
  {
    UInt64(address.value) << 16 | UInt64(layers.u16(ip.header.upperBound + port) ?? 0)
  }
}
