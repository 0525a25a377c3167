/// What a pipeline has that somebody programmed of whom nothing else is known: the rows, and
/// the intent behind them; and the ids and epochs that its flows may carry.
public struct ProgrammedState: Sendable {
  /// An endpoint of a Service port, and the id that its flows have.
  struct Endpoint: Hashable, Sendable {
    var id: UInt32
    var address: IPv4Address
    var port: UInt16
  }

  /// Rows of tables that controllers fill.
  private(set) var rows: [TableEntry] = []
  /// Interfaces by ascending address. Rows have no names, so theirs are empty.
  public private(set) var interfaces: [Intent.Interface] = []
  /// Service port → those of its endpoints that take new flows.
  private(set) var endpoints: [ServicePortKey: [Endpoint]] = [:]
  /// Ids of endpoints that rows or flows have: also those whose rows are gone.
  private(set) var endpointIDs: Set<UInt32> = []
  /// Service port → its id.
  private(set) var serviceIDs: [ServicePortKey: UInt32] = [:]
  /// Ids of all rows of `slots`, whether or not a Service leads there.
  private(set) var slotOwners: Set<UInt32> = []
  /// Service port → the epochs that its slots have or its UDP flows remember.
  private(set) var epochs: [ServicePortKey: Set<UInt32>] = [:]

  /// - Parameter rows: in any order. Those that are not as ``K8sDP`` makes them say nothing.
  public init(_ rows: [TableEntry] = []) {
    var slots: [UInt32: [K8sDP.Slot]] = [:]
    var places: [UInt32: Endpoint] = [:]
    for row in rows {
      guard let table = K8sDP.Table(rawValue: row.table) else { continue }
      self.rows.append(row)
      let arguments = row.arguments
      switch (table, row.key.count, row.action, arguments.count) {
      case (.routes, 1, "route_hop", 3):
        interfaces.append(
          Intent.Interface(
            name: "", ip: IPv4Address(UInt32(truncatingIfNeeded: row.key[0])),
            mac: MACAddress(arguments[1]), port: PortID(truncatingIfNeeded: arguments[0])))
      case (.services, 3, "service_select", 2):
        serviceIDs[ServicePortKey(row.key)] = UInt32(truncatingIfNeeded: arguments[0])
      case (.slots, 2, "slot_endpoints", 2 * K8sDP.slotsPerRow):
        slots[UInt32(truncatingIfNeeded: row.key[0]), default: []] += K8sDP.slots(in: row)
      case (.endpoints, 1, _, 2...):
        let id = UInt32(truncatingIfNeeded: row.key[0])
        places[id] = Endpoint(
          id: id, address: IPv4Address(UInt32(truncatingIfNeeded: arguments[0])),
          port: UInt16(truncatingIfNeeded: arguments[1]))
      default: break
      }
    }
    interfaces.sort { $0.ip < $1.ip }
    endpointIDs = Set(places.keys).union(slots.values.joined().map(\.endpoint))
    slotOwners = Set(slots.keys)
    for (key, id) in serviceIDs {
      let slots = slots[id] ?? []
      epochs[key] = Set(slots.map { UInt32($0.epoch) })
      var found: [UInt64: Endpoint] = [:]
      for place in Set(slots.map(\.endpoint)).compactMap({ places[$0] }) {
        found[UInt64(place.address.value) << 16 | UInt64(place.port)] = place
      }
      endpoints[key] = found.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// Takes note of an entry that the pipeline learned.
  public mutating func note(learned entry: TableEntry) {
    // The endpoint's id comes first in `flows` and `fragments`.
    guard let id = entry.arguments.first else { return }
    endpointIDs.insert(UInt32(truncatingIfNeeded: id))
    guard entry.table == K8sDP.flowsTable, entry.key.count == 6, entry.key[4] & 0x80 != 0 else {
      return
    }
    let key = ServicePortKey([entry.key[2], entry.key[3], UInt64(TransportProtocol.udp.rawValue)])
    epochs[key, default: []].insert(UInt32(entry.key[4] & 0x7F))
  }

  /// Service ports and their endpoints, which have the weight 1.
  public var services: [ServiceAddress: [Intent.Endpoint]] {
    var services: [ServiceAddress: [Intent.Endpoint]] = [:]
    for (key, endpoints) in endpoints {
      services[ServiceAddress(key.address, key.transport, key.port)] = endpoints.map {
        Intent.Endpoint(address: $0.address, port: $0.port)
      }
    }
    return services
  }

  /// Forgets what the rows say, but no id and no epoch: for rows that cannot be had on this node.
  public mutating func forgetIntent() { (interfaces, endpoints) = ([], [:]) }

  /// What makes other rows of these, in an order in which nothing refers to what is not there.
  ///
  /// - Parameter entries: in the order of ``IntentCompiler/entries``.
  public func updates(to entries: [TableEntry]) -> [Update] {
    struct Place: Hashable {
      var table: String
      var key: [UInt64]
      init(_ entry: TableEntry) { (table, key) = (entry.table, entry.key) }
    }
    var present: [Place: TableEntry] = [:]
    for row in rows { present[Place(row)] = row }
    var updates: [Update] = []
    for entry in entries {
      let row = present.removeValue(forKey: Place(entry))
      if row != entry { updates.append(row == nil ? .insert(entry) : .modify(entry)) }
    }
    // The pipeline's order: what leads somewhere goes before what it leads to.
    let surplus = Dictionary(grouping: present.keys, by: \.table)
    for table in K8sDP.Table.allCases {
      updates += (surplus[table.name] ?? []).map { K8sDP.delete(table, key: $0.key) }
    }
    return updates
  }
}

extension IntentCompiler {
  /// Goes on where another one ended of which nothing is known but what it programmed.
  ///
  /// The next intent must have the Services of `programmed`. Their endpoints keep their ids,
  /// and so their flows; all others get ids that no flow has. UDP flows choose anew.
  public init(resuming programmed: ProgrammedState) {
    self.init()
    endpointIDs = IDAllocator(after: programmed.endpointIDs)
    serviceIDs = IDAllocator(
      after: programmed.slotOwners.union(programmed.serviceIDs.values))
    for (key, used) in programmed.epochs {
      forgotten[key] = Ring.beforeLongestGap(in: used, of: 128).map { $0 + 1 }
    }
    // Rows of somebody else may have an id twice; nothing of ours has.
    var taken = (services: Set<UInt32>(), endpoints: Set<UInt32>())
    for (key, endpoints) in programmed.endpoints.sorted(by: { $0.key < $1.key }) {
      var state = ServicePortState(key: key, epoch: forgotten.removeValue(forKey: key) ?? 0)
      if let id = programmed.serviceIDs[key], taken.services.insert(id).inserted { state.id = id }
      state.members = endpoints.filter { taken.endpoints.insert($0.id).inserted }.map {
        ServicePortState.Member(
          address: $0.address, port: $0.port, id: $0.id, weight: 1, isListed: false)
      }
      for member in state.members { memberships[member.address.value, default: []].append(key) }
      ports[key] = state
      rows.endpoints += state.members.count
    }
  }
}
