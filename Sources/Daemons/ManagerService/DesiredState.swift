import Core
import HashTreeCollections

/// What the node shall do, and the rows that say it to the pipeline.
///
/// A pure function of the changes in their order: the same journal gives the same rows,
/// and so flows find the endpoints that they are pinned to after a restart.
struct DesiredState: Sendable, Codable {
  private(set) var gateway: Intent.Interface?
  private(set) var host: Intent.Interface?
  private(set) var pods: [IPv4Address: Intent.Interface] = [:]
  private(set) var services: TreeDictionary<ServiceAddress, [Intent.Endpoint]> = [:]
  /// Services that were found in the pipeline, and not asked for since. The like of pods is
  /// that they have no name.
  private var unclaimed: TreeSet<ServiceAddress> = []
  private var compiler = IntentCompiler()
  /// ``services`` as the compiler takes them.
  private var list = ServiceList([])

  private enum CodingKeys: CodingKey { case gateway, host, pods, services, unclaimed, compiler }

  init() {}

  /// What must have been wanted for a pipeline to have these rows.
  ///
  /// - Parameter gateway: the gateway's address.
  /// - Throws: ``DataplaneError`` when nothing on this node can have been.
  init(resuming programmed: ProgrammedState, gateway: IPv4Address) throws(DataplaneError) {
    for interface in programmed.interfaces {
      if interface.ip == gateway {
        self.gateway = interface
      } else if interface.port == K8sDP.hostPort {
        host = interface
      } else {
        pods[interface.ip] = interface
      }
    }
    services = TreeDictionary(uniqueKeysWithValues: programmed.services)
    unclaimed = TreeSet(services.keys)
    list = ServiceList(services)
    compiler = IntentCompiler(resuming: programmed)
    _ = try compile()
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    gateway = try values.decodeIfPresent(Intent.Interface.self, forKey: .gateway)
    host = try values.decodeIfPresent(Intent.Interface.self, forKey: .host)
    pods = try values.decode([IPv4Address: Intent.Interface].self, forKey: .pods)
    services = try values.decode(
      TreeDictionary<ServiceAddress, [Intent.Endpoint]>.self, forKey: .services)
    unclaimed = try values.decodeIfPresent(TreeSet<ServiceAddress>.self, forKey: .unclaimed) ?? []
    compiler = try values.decode(IntentCompiler.self, forKey: .compiler)
    list = ServiceList(services)
  }

  var entries: [TableEntry] { compiler.entries }

  /// Whether something was found in the pipeline that no agent has asked for since.
  var hasUnclaimed: Bool { !unclaimed.isEmpty || pods.values.contains { $0.name.isEmpty } }

  /// Takes changes as one.
  ///
  /// - Returns: what they change in the tables.
  /// - Throws: ``DataplaneError``: `alreadyExists` for an address that is another
  ///   interface's, `invalidArgument` for what cannot be so on this node. Nothing is taken
  ///   then.
  mutating func take(_ changes: [Change]) throws(DataplaneError) -> [Update] {
    var next = self
    for change in changes { try next.note(change) }
    let updates = try next.compile()
    self = next
    return updates
  }

  /// Whether a change asks for what is so already.
  func has(_ change: Change) -> Bool {
    switch change {
    case .host(let host, let gateway): self.host == host && self.gateway == gateway
    case .pod(let pod): pods[pod.ip] == pod
    case .removePod(let address, let interface): !isPod(at: address, on: interface)
    case .service(let address, let endpoints):
      services[address] == endpoints && !unclaimed.contains(address)
    case .removeService(let address): services[address] == nil
    case .removeUnclaimed: !hasUnclaimed
    }
  }

  private mutating func note(_ change: Change) throws(DataplaneError) {
    switch change {
    case .host(let host, let gateway):
      self.host = host
      self.gateway = gateway
    case .pod(let pod):
      let holder = host?.ip == pod.ip ? host : pods[pod.ip]
      if let holder, !holder.name.isEmpty, holder.name != pod.name {
        throw DataplaneError(
          .alreadyExists, "pod \(pod.name)",
          "\(pod.ip) is that of \(holder.name); remove it there, or give another")
      }
      pods[pod.ip] = pod
    case .removePod(let address, let interface):
      if isPod(at: address, on: interface) { pods[address] = nil }
    case .service(let address, let endpoints): put(endpoints, at: address)
    case .removeService(let address): put(nil, at: address)
    case .removeUnclaimed:
      pods = pods.filter { !$0.value.name.isEmpty }
      for address in unclaimed { put(nil, at: address) }
    }
  }

  private func isPod(at address: IPv4Address, on interface: String?) -> Bool {
    guard let pod = pods[address] else { return false }
    return interface == nil || pod.name.isEmpty || pod.name == interface
  }

  private mutating func put(_ endpoints: [Intent.Endpoint]?, at address: ServiceAddress) {
    services[address] = endpoints
    unclaimed.remove(address)
    list.put(endpoints, at: address)
  }

  private mutating func compile() throws(DataplaneError) -> [Update] {
    let intent = Intent(
      gateway: gateway, host: host, pods: pods.values.sorted { $0.ip < $1.ip },
      services: list.services)
    do { return try compiler.updates(for: intent) } catch {
      throw DataplaneError(.invalidArgument, error.entity, error.message)
    }
  }
}
