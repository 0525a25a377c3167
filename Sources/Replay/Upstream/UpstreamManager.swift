import Core

/// What upstream's Infra Agent and Infra Manager of v23.01 write into the tables,
/// write by write, with their mistakes.
///
/// - A pod or the host: one row for ARP, one for IPv4; the gateway: one for ARP.
/// - A Service whose endpoints or ports change is deleted and added anew.
/// - Member ids are `group << 4 | (n + 1) & 15`, groups are counted up for ever.
/// - Each write stands alone. The first one that is refused ends its request, and
///   what was written before stays. Inserting a row that is there is refused.
///
/// What is not modelled: the Agent tries a Service that failed again and again, each
/// time with a new group (here: with the next change of intent); the order in which
/// Go walks through a map (here: the order of the state file); restarts; the row of
/// the node's own address, which a state file does not have. A Service with several
/// ports, one of which is refused, is ended there. The 64th Service port added has
/// member ids beyond 1,023, which the engine's selector does not take: they are
/// refused here, and what upstream's server does with them is not known.
struct UpstreamManager {
  private struct Endpoint {
    var backend: UpstreamAddress
    var member: UInt32
  }

  private struct Stored {
    var group: UInt32
    var handle: UInt32
    var endpoints: [Endpoint]
  }

  private struct Translation: Hashable {
    var port: UpstreamServicePort
    var backends: [UpstreamAddress]
  }

  private var lastGroup: UInt32 = 0
  private var interfaces: [Intent.Interface] = []
  private var gateway: Intent.Interface?
  /// What the Agent has recorded of each Service, by name.
  private var recorded: [String: [Translation]] = [:]
  private var recordedOrder: [String] = []
  private var stored: [UpstreamServicePort: Stored] = [:]
  private var handles: [TransportProtocol: Set<UInt32>] = [:]
  /// Requests that were refused, each with the write that ended it.
  private(set) var refused: [String] = []

  /// Follows a change of intent.
  mutating func follow(_ intent: Intent, _ apply: (Update) throws(DataplaneError) -> Void) {
    func write(_ update: Update) throws(DataplaneError) {
      do throws(DataplaneError) { try apply(update) } catch {
        // Without the advice: upstream's manager takes none.
        let reason = error.message.prefix { $0 != ";" }
        throw DataplaneError(error.code, UpstreamTables.name(of: update), String(reason))
      }
    }
    refused = []
    follow(interfacesOf: intent, write)
    let names = Set(intent.services.map(\.name))
    for name in recordedOrder where !names.contains(name) { forget(name, write) }
    for service in intent.services {
      let translations = service.upstreamPorts.map {
        Translation(port: $0.port, backends: Self.onePerPod($0.backends))
      }
      guard recorded[service.name] != translations else { continue }
      forget(service.name, write)
      guard intent.host != nil else {
        refused.append("\(service.name): the host interface is not set up")
        continue
      }
      let isAdded = translations.filter { !$0.backends.isEmpty }.allSatisfy { translation in
        attempt("NatTranslationAdd \(translation.port)") {
          (manager) throws(DataplaneError) in try manager.add(translation, write)
        }
      }
      guard isAdded else { continue }
      recorded[service.name] = translations
      recordedOrder.append(service.name)
    }
  }

  /// Endpoints are kept by the address of their pod: of two with one address the
  /// last one stays.
  private static func onePerPod(_ backends: [UpstreamBackend]) -> [UpstreamAddress] {
    var kept: [UpstreamAddress] = []
    for backend in backends {
      if let i = kept.firstIndex(where: { $0.ip == backend.address.ip }) {
        kept[i] = backend.address
      } else {
        kept.append(backend.address)
      }
    }
    return kept
  }

  /// - Returns: whether the request went through.
  private mutating func attempt(
    _ request: String, _ body: (inout UpstreamManager) throws(DataplaneError) -> Void
  ) -> Bool {
    do throws(DataplaneError) { try body(&self) } catch {
      refused.append("\(request) ends at \(error.entity), which \(error.message)")
      return false
    }
    return true
  }

  // MARK: Pods

  private mutating func follow(
    interfacesOf intent: Intent, _ write: (Update) throws(DataplaneError) -> Void
  ) {
    if gateway == nil, let new = intent.gateway {
      _ = attempt("default ARP rule") { (_) throws(DataplaneError) in
        try write(.insert(UpstreamTables.arpTarget(new)))
      }
      gateway = new
    }
    let wanted = [intent.host].compactMap(\.self) + intent.pods
    let keys = Set(wanted)
    for old in interfaces where !keys.contains(old) {
      _ = attempt("DeleteNetwork \(old.ip)") { (_) throws(DataplaneError) in
        for row in [UpstreamTables.arpTarget(old), UpstreamTables.route(old)] {
          try write(.delete(table: row.table, key: row.key))
        }
      }
    }
    let present = Set(interfaces)
    for new in wanted where !present.contains(new) {
      _ = attempt("CreateNetwork \(new.ip)") { (_) throws(DataplaneError) in
        try write(.insert(UpstreamTables.arpTarget(new)))
        try write(.insert(UpstreamTables.route(new)))
      }
    }
    interfaces = wanted
  }

  // MARK: Services

  private mutating func forget(
    _ name: String, _ write: (Update) throws(DataplaneError) -> Void
  ) {
    guard let old = recorded.removeValue(forKey: name) else { return }
    recordedOrder.removeAll { $0 == name }
    for translation in old where !translation.backends.isEmpty {
      _ = attempt("NatTranslationDelete \(translation.port)") {
        (manager) throws(DataplaneError) in try manager.delete(translation.port, write)
      }
    }
  }

  private mutating func add(
    _ translation: Translation, _ write: (Update) throws(DataplaneError) -> Void
  ) throws(DataplaneError) {
    let transport = translation.port.transport
    lastGroup += 1
    let group = lastGroup
    let endpoints = translation.backends.enumerated().map { n, backend in
      Endpoint(backend: backend, member: group << 4 | UInt32(n + 1) & 0xF)
    }
    for endpoint in endpoints {
      try write(.insert(UpstreamTables.destination(endpoint.member, endpoint.backend)))
    }
    for endpoint in endpoints {
      try write(
        .insert(UpstreamTables.member(transport, endpoint.member, pointer: endpoint.member)))
    }
    // The server gives P4Runtime's groups the lowest free one of the selector.
    let handle = (0...UInt32.max).first { handles[transport]?.contains($0) != true } ?? 0
    try write(
      .setGroup(
        selector: UpstreamTables.selector(transport), group: handle,
        members: endpoints.map { GroupMember(id: $0.member) }))
    handles[transport, default: []].insert(handle)
    for endpoint in endpoints {
      try write(.insert(UpstreamTables.reverse(transport, endpoint.backend, pointer: group)))
    }
    try write(
      .insert(UpstreamTables.balance(transport, translation.port.address, group: handle)))
    try write(.insert(UpstreamTables.source(group, translation.port.address)))
    stored[translation.port] = Stored(group: group, handle: handle, endpoints: endpoints)
  }

  private mutating func delete(
    _ port: UpstreamServicePort, _ write: (Update) throws(DataplaneError) -> Void
  ) throws(DataplaneError) {
    guard let old = stored[port] else {
      throw DataplaneError(.notFound, "\(port)", "no group is known of it")
    }
    func remove(_ row: TableEntry) throws(DataplaneError) {
      try write(.delete(table: row.table, key: row.key))
    }
    try remove(UpstreamTables.balance(port.transport, port.address, group: old.handle))
    try write(
      .setGroup(
        selector: UpstreamTables.selector(port.transport), group: old.handle, members: []))
    handles[port.transport]?.remove(old.handle)
    for endpoint in old.endpoints {
      try remove(UpstreamTables.member(port.transport, endpoint.member, pointer: endpoint.member))
    }
    for endpoint in old.endpoints {
      try remove(UpstreamTables.reverse(port.transport, endpoint.backend, pointer: old.group))
    }
    for endpoint in old.endpoints {
      try remove(UpstreamTables.destination(endpoint.member, endpoint.backend))
    }
    try remove(UpstreamTables.source(old.group, port.address))
    stored[port] = nil
  }
}
