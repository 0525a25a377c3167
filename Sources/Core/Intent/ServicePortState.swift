/// What is programmed for one Service port, or still kept of it.
struct ServicePortState: Sendable, Codable {
  /// An endpoint that is listed, or was and may still have flows.
  struct Member: Hashable, Sendable, Codable {
    var address: IPv4Address
    var port: UInt16
    /// The id that flows carry: the same for as long as the member is kept.
    var id: UInt32
    var weight: UInt32
    /// Whether the Service still has it.
    var isListed: Bool

    /// Whether it takes new flows.
    var isActive: Bool { isListed && weight > 0 }
    var order: UInt64 { UInt64(address.value) << 16 | UInt64(port) }
  }

  let key: ServicePortKey
  /// The Service's name, for error messages.
  var service: String
  /// What the intent says, or nil once it says nothing more: then only members
  /// are left whose pods may still have flows.
  var wanted: Intent.ServicePort?
  /// The Service id; 0 while nothing is wanted.
  var id: UInt32
  /// By ascending address and port.
  var members: [Member]
  var slots: SlotTable
  /// Rows in `slots`: none when no endpoint takes new flows.
  private(set) var rowCount = 0

  init(key: ServicePortKey, epoch: UInt32) {
    self.key = key
    service = ""
    id = 0
    members = []
    slots = SlotTable(epoch: epoch)
  }

  /// Brings members and slots in line with what is wanted and with the node.
  mutating func update(
    node: NodeState, change: NodeChange, ids: inout IDAllocator, live: Set<UInt32>
  ) throws(IntentError) {
    let before = shares
    let listed = try listedEndpoints(change, node)
    let old = members
    members = []
    members.reserveCapacity(max(listed.count, old.count))
    var i = 0
    for endpoint in listed {
      var member = Member(
        address: endpoint.address, port: endpoint.port, id: 0, weight: endpoint.weight,
        isListed: true)
      while i < old.count, old[i].order < member.order {
        keep(old[i], node, change)
        i += 1
      }
      if i < old.count, old[i].order == member.order {
        member.id = old[i].id
        i += 1
      } else {
        member.id = ids.next(live: live)
      }
      members.append(member)
    }
    while i < old.count {
      keep(old[i], node, change)
      i += 1
    }

    let shares = shares
    guard let needed = SlotTable.count(for: shares) else {
      throw IntentError(
        title,
        "its weights differ so much that an endpoint would get none of "
          + "\(SlotTable.maximumCount) slots; bring them closer together")
    }
    if shares != before { slots.assign(shares, needed: needed) }
    rowCount = shares.isEmpty ? 0 : slots.count / K8sDP.slotsPerRow
  }

  /// Keeps a member that is not listed any more while its pod lives, because
  /// its TCP flows do. A pod of another name at the address is another pod, unless the name
  /// was not known.
  private mutating func keep(_ member: Member, _ node: NodeState, _ change: NodeChange) {
    guard let site = change.site(member.address, in: node), site.role == .pod,
      let earlier = node.sites[member.address.value], earlier.role == .pod,
      earlier.interface.name.isEmpty || earlier.interface.name == site.interface.name
    else { return }
    var member = member
    member.isListed = false
    members.append(member)
  }

  /// The wanted endpoints by ascending address and port.
  private func listedEndpoints(
    _ change: NodeChange, _ node: NodeState
  ) throws(IntentError) -> [Intent.Endpoint] {
    guard let wanted else { return [] }
    let sorted = wanted.endpoints.sorted {
      ($0.address.value, $0.port) < ($1.address.value, $1.port)
    }
    for (i, endpoint) in sorted.enumerated() {
      guard endpoint.port != 0, endpoint.address.isUnicast else {
        throw IntentError(
          title, "endpoint \(endpoint.address):\(endpoint.port) is no address and port; drop it")
      }
      if i > 0, sorted[i - 1].address == endpoint.address, sorted[i - 1].port == endpoint.port {
        throw IntentError(
          title, "endpoint \(endpoint.address):\(endpoint.port) is listed twice; list it once")
      }
    }
    return sorted
  }

  private var shares: [SlotTable.Share] {
    members.compactMap { $0.isActive ? SlotTable.Share(id: $0.id, weight: $0.weight) : nil }
  }

  /// For error messages: `Service web port 80/TCP`.
  var title: String { "Service \(service) port \(key.port)/\(key.transport.name)" }

  /// The row in `services`, or nil when nothing is wanted.
  var serviceRow: TableEntry? {
    guard wanted != nil else { return nil }
    return K8sDP.service(
      key.address, port: key.port, transport: key.transport, id: id,
      mask: UInt32(max(rowCount, 1) * K8sDP.slotsPerRow - 1))
  }

  /// A row of `slots`.
  func slotRow(_ row: Int) -> TableEntry {
    K8sDP.slots(service: id, row: UInt32(row), slots(ofRow: row))
  }

  private func slots(ofRow row: Int) -> [K8sDP.Slot] {
    (row * K8sDP.slotsPerRow..<(row + 1) * K8sDP.slotsPerRow).map { slots[$0] }
  }

  /// Whether a row of `slots` says the same in both.
  func hasSlots(of other: ServicePortState, inRow row: Int) -> Bool {
    (row * K8sDP.slotsPerRow..<(row + 1) * K8sDP.slotsPerRow).allSatisfy {
      slots[$0] == other.slots[$0]
    }
  }
}

extension ServicePortState.Member {
  /// The row in `endpoints`.
  ///
  /// - Parameter site: what its address is on this node.
  func row(site: NodeState.Site?, sourceMAC: MACAddress) -> TableEntry {
    K8sDP.endpoint(id, address: address, port: port, target(site, sourceMAC))
  }

  /// - Parameter site: what its address is on this node.
  func target(_ site: NodeState.Site?, _ sourceMAC: MACAddress) -> K8sDP.EndpointTarget {
    guard let site, site.role != .gateway else { return .host }
    let hop = site.hop(sourceMAC: sourceMAC)
    return isActive ? .hop(hop) : .drain(hop)
  }
}
