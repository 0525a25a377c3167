import Core

/// An established flow survives any change but the removal of its endpoint: while its
/// entry lives, its packets go where they went.
///
/// UDP flows are let go by slot: one may choose anew when any endpoint of its Service port
/// leaves, because that one may have owned its slot.
struct FuzzSurvival {
  private struct Entry: Hashable {
    var flow: FuzzFlow
    var kind: UInt64
  }

  private var pins: [FuzzFlow: FuzzPin] = [:]
  /// Entries of flows that were let go, which are left to age.
  private var released: Set<Entry> = []

  /// Drops that are the packet's own fault.
  private static let faults: Set<DropReason> = [
    .ttlExpired, .badIPHeader, .truncated, .badLength, .fragment, .multicast,
  ]

  /// Takes the entries that are there now.
  mutating func learn(_ all: [FuzzPin]) {
    pins.removeAll(keepingCapacity: true)
    var present: Set<Entry> = []
    for pin in all where !pin.isHalfOpen && !pin.isStale {
      let entry = Entry(flow: pin.flow, kind: pin.kind)
      if released.contains(entry) { present.insert(entry) } else { pins[pin.flow] = pin }
    }
    released = present
  }

  /// A change of the node: flows whose endpoint it takes away are free.
  ///
  /// - Parameter refolded: Service ports whose slots were folded into fewer, which lets UDP
  ///   flows go, too.
  mutating func change(
    from old: FuzzNode, to node: FuzzNode, refolded: Set<FuzzFlow.Service>
  ) {
    for (flow, pin) in pins {
      let isUDP = flow.service.transport == TransportProtocol.udp.rawValue
      if node.removes(pin.endpoint, of: flow.service, from: old)
        || isUDP && (refolded.contains(flow.service) || node.lost(any: flow.service, of: old))
      {
        pins[flow] = nil
        released.insert(Entry(flow: flow, kind: pin.kind))
      }
    }
  }

  /// - Parameter cycles: the engine's time.
  mutating func check(_ request: FuzzRequest, cycles: UInt64) -> String? {
    guard let pin = pins[request.flow] else { return nil }
    guard cycles < pin.expiry else {
      pins[request.flow] = nil
      return nil
    }
    // What ends a connection shortens the life of its entry.
    if let flags = request.flags, !flags.isDisjoint(with: [.syn, .fin, .rst]) {
      pins[request.flow] = nil
    }
    if let endpoint = request.endpoint {
      return endpoint == pin.endpoint ? nil : "an established flow was moved"
    }
    if let reason = request.reason {
      // Fragments have a table of their own, which may be full; and who sends a SYN asks for
      // another connection.
      let isExcused = request.isFragment || request.flags.map { $0.contains(.syn) } ?? false
      return Self.faults.contains(reason) || isExcused
        ? nil : "a packet of an established flow was dropped: \(reason.name)"
    }
    return "a packet of an established flow was not translated"
  }

  /// A reply may end a connection, too.
  mutating func forget(client: UInt64) {
    for flow in pins.keys where flow.client == client { pins[flow] = nil }
  }
}
