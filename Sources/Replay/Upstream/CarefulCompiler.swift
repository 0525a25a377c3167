import Core

/// Turns intent into the rows of upstream's pipeline as well as its tables allow:
/// what then still goes wrong is the pipeline's own doing.
///
/// Every change is one batch that touches only what differs. Ids are used again as
/// late as possible. An endpoint that left its Service keeps its rows while its
/// address is on the node, so that TCP connections to it can go on. Weights are
/// honoured. What does not fit is left out and said.
struct CarefulCompiler {
  private struct Port {
    var group: UInt32
    var source: UInt32
    var members: [UpstreamAddress: UInt32] = [:]
  }

  private struct RowKey: Hashable, Comparable {
    var table: String
    var key: [UInt64]

    static func < (a: RowKey, b: RowKey) -> Bool {
      a.table == b.table ? a.key.lexicographicallyPrecedes(b.key) : a.table < b.table
    }
  }

  private let contract: Contract
  private var ports: [UpstreamServicePort: Port] = [:]
  /// In the order in which they got their ids.
  private var order: [UpstreamServicePort] = []
  private var groupIDs: [TransportProtocol: RotatingIDs] = [:]
  private var memberIDs: [TransportProtocol: RotatingIDs] = [:]
  private var sourceIDs: RotatingIDs
  private var rows: [RowKey: TableEntry] = [:]
  private var groups: [UpstreamServicePort: (group: UInt32, members: [GroupMember])] = [:]
  /// Service ports that had no room, each with what was missing.
  private(set) var refused: [String] = []

  init(contract: Contract) {
    self.contract = contract
    sourceIDs = RotatingIDs(1...UInt32(contract.table(UpstreamTables.sources)?.size ?? 1))
    for transport in TransportProtocol.allCases {
      let selector = contract.selectors.first { $0.name == UpstreamTables.selector(transport) }
      groupIDs[transport] = RotatingIDs(0...UInt32((selector?.maximumGroups ?? 1) - 1))
      // Member 0 is what an empty group selects.
      memberIDs[transport] = RotatingIDs(1...UInt32((selector?.maximumMembers ?? 2) - 1))
    }
  }

  /// The updates that lead from the last intent to this one.
  mutating func updates(for intent: Intent) -> [Update] {
    refused = []
    let wanted = intent.services.flatMap(\.upstreamPorts)
    let interfaces = [intent.gateway, intent.host].compactMap(\.self) + intent.pods
    release(keeping: wanted, on: Set(interfaces.map(\.ip)))
    var served: [(port: UpstreamServicePort, backends: [UpstreamBackend])] = []
    for (port, backends) in wanted where !backends.isEmpty {
      if let missing = allocate(port, backends) {
        refused.append("\(port): no \(missing) is free")
      } else {
        served.append((port, backends))
      }
    }
    return differences(served, interfaces)
  }

  // MARK: Ids

  private mutating func release(
    keeping wanted: [(port: UpstreamServicePort, backends: [UpstreamBackend])],
    on node: Set<IPv4Address>
  ) {
    let backends = Dictionary(
      wanted.map { ($0.port, Set($0.backends.map(\.address))) }, uniquingKeysWith: { $1 })
    for key in order {
      guard var port = ports[key] else { continue }
      for (address, id) in port.members
      where backends[key]?.contains(address) != true && !node.contains(address.ip) {
        port.members[address] = nil
        memberIDs[key.transport]?.release(id)
      }
      ports[key] = port
      if port.members.isEmpty { remove(key) }
    }
  }

  private mutating func remove(_ key: UpstreamServicePort) {
    guard let port = ports.removeValue(forKey: key) else { return }
    groupIDs[key.transport]?.release(port.group)
    sourceIDs.release(port.source)
    for id in port.members.values { memberIDs[key.transport]?.release(id) }
    order.removeAll { $0 == key }
  }

  /// - Returns: what there is no more of, or nil.
  private mutating func allocate(_ key: UpstreamServicePort, _ backends: [UpstreamBackend])
    -> String?
  {
    let room = contract.table(UpstreamTables.destinations)?.size ?? 0
    if ports[key] == nil {
      guard let group = groupIDs[key.transport]?.next() else { return "group" }
      guard let source = sourceIDs.next() else {
        groupIDs[key.transport]?.release(group)
        return "row of \(UpstreamTables.sources)"
      }
      ports[key] = Port(group: group, source: source)
      order.append(key)
    }
    for backend in backends where ports[key]?.members[backend.address] == nil {
      let used = ports.values.reduce(0) { $0 + $1.members.count }
      guard used < room, let id = memberIDs[key.transport]?.next() else {
        remove(key)
        return used < room ? "member" : "row of \(UpstreamTables.destinations)"
      }
      ports[key]?.members[backend.address] = id
    }
    return nil
  }

  /// `write_dest_ip_table` is shared by TCP and UDP, whose members are not.
  private func pointer(_ transport: TransportProtocol, _ member: UInt32) -> UInt32 {
    transport == .tcp ? member : member | 1 << 16
  }

  // MARK: Rows

  private mutating func differences(
    _ served: [(port: UpstreamServicePort, backends: [UpstreamBackend])],
    _ interfaces: [Intent.Interface]
  ) -> [Update] {
    var new: [RowKey: TableEntry] = [:]
    // A key written twice keeps the last row, as the table would.
    func set(_ row: TableEntry) { new[RowKey(table: row.table, key: row.key)] = row }
    for interface in interfaces {
      set(UpstreamTables.arpTarget(interface))
      set(UpstreamTables.route(interface))
    }
    for key in order {
      guard let port = ports[key] else { continue }
      set(UpstreamTables.source(port.source, key.address))
      for (address, id) in port.members {
        let pointer = pointer(key.transport, id)
        set(UpstreamTables.destination(pointer, address))
        set(UpstreamTables.member(key.transport, id, pointer: pointer))
        set(UpstreamTables.reverse(key.transport, address, pointer: port.source))
      }
    }
    var newGroups: [UpstreamServicePort: (group: UInt32, members: [GroupMember])] = [:]
    for (key, backends) in served {
      guard let port = ports[key] else { continue }
      set(UpstreamTables.balance(key.transport, key.address, group: port.group))
      for backend in backends {
        set(UpstreamTables.reverse(key.transport, backend.address, pointer: port.source))
      }
      newGroups[key] = (
        port.group,
        backends.compactMap { backend in
          port.members[backend.address].map { GroupMember(id: $0, weight: backend.weight) }
        }
      )
    }

    var updates = rows.keys.filter { new[$0] == nil }.sorted()
      .map { Update.delete(table: $0.table, key: $0.key) }
    for (key, old) in groups.sorted(by: { $0.value.group < $1.value.group })
    where newGroups[key] == nil {
      updates.append(
        .setGroup(
          selector: UpstreamTables.selector(key.transport), group: old.group, members: []))
    }
    for (key, group) in newGroups.sorted(by: { $0.value.group < $1.value.group })
    where groups[key]?.group != group.group || groups[key]?.members != group.members {
      updates.append(
        .setGroup(
          selector: UpstreamTables.selector(key.transport), group: group.group,
          members: group.members))
    }
    for (key, row) in new.sorted(by: { $0.key < $1.key }) where rows[key] != row {
      updates.append(rows[key] == nil ? .insert(row) : .modify(row))
    }
    rows = new
    groups = newGroups
    return updates
  }
}

/// Numbers of a range, each used again as late as possible.
private struct RotatingIDs {
  private let range: ClosedRange<UInt32>
  private var used: Set<UInt32> = []
  private var following: UInt32

  init(_ range: ClosedRange<UInt32>) {
    self.range = range
    following = range.lowerBound
  }

  mutating func next() -> UInt32? {
    guard used.count < range.count else { return nil }
    while used.contains(following) { step() }
    used.insert(following)
    defer { step() }
    return following
  }

  mutating func release(_ id: UInt32) { used.remove(id) }

  private mutating func step() {
    following = following == range.upperBound ? range.lowerBound : following + 1
  }
}
