/// What has been programmed for one Service port.
struct ServicePortState: Sendable {
  /// How an endpoint is known within its Service port.
  struct EndpointKey: Hashable, Comparable, Sendable {
    var address: IPv4Address
    var port: UInt16

    static func < (a: EndpointKey, b: EndpointKey) -> Bool {
      (a.address, a.port) < (b.address, b.port)
    }
  }

  struct Membership: Hashable, Sendable {
    var id: UInt32
    /// It keeps its flows and takes no new one.
    var draining: Bool
  }

  let id: UInt32
  var intent: Intent.ServicePort
  var slots: SlotTable
  /// Everything that has a row in `endpoints`, the draining ones included.
  var members: [EndpointKey: Membership] = [:]

  /// The rows of `slots`, or none when nobody serves.
  func slotRows() -> [TableEntry] {
    guard members.values.contains(where: { !$0.draining }) else { return [] }
    return slots.slots.enumerated().map { i, slot in
      K8sDP.slot(service: id, slot: i, endpoint: slot.owner, epoch: slot.epoch)
    }
  }
}

/// The address by which clients know a Service port.
struct ServicePortKey: Hashable, Comparable, Sendable {
  var address: IPv4Address
  var transport: TransportProtocol
  var port: UInt16

  static func < (a: ServicePortKey, b: ServicePortKey) -> Bool {
    (a.address, a.transport.rawValue, a.port) < (b.address, b.transport.rawValue, b.port)
  }
}
