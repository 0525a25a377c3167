import Core

/// What the node shall do, and the rows that say it to the pipeline.
///
/// A pure function of the changes in their order: the same journal gives the same rows,
/// and so flows find the endpoints that they are pinned to after a restart.
struct DesiredState: Sendable, Codable {
  private(set) var gateway: Intent.Interface?
  private(set) var host: Intent.Interface?
  private(set) var pods: [IPv4Address: Intent.Interface] = [:]
  private(set) var services: [ServiceAddress: [Intent.Endpoint]] = [:]
  private var compiler = IntentCompiler()
  /// ``services`` as the compiler takes them.
  private var list = ServiceList([:])

  private enum CodingKeys: CodingKey { case gateway, host, pods, services, compiler }

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    gateway = try values.decodeIfPresent(Intent.Interface.self, forKey: .gateway)
    host = try values.decodeIfPresent(Intent.Interface.self, forKey: .host)
    pods = try values.decode([IPv4Address: Intent.Interface].self, forKey: .pods)
    services = try values.decode([ServiceAddress: [Intent.Endpoint]].self, forKey: .services)
    compiler = try values.decode(IntentCompiler.self, forKey: .compiler)
    list = ServiceList(services)
  }

  var entries: [TableEntry] { compiler.entries }

  /// Takes changes as one.
  ///
  /// - Returns: what they change in the tables.
  /// - Throws: ``IntentError``; nothing is taken then.
  mutating func take(_ changes: [Change]) throws(IntentError) -> [Update] {
    var next = self
    for change in changes { next.note(change) }
    let updates = try next.compiler.updates(for: next.intent)
    self = next
    return updates
  }

  /// Whether a change asks for what is so already.
  func has(_ change: Change) -> Bool {
    switch change {
    case .host(let host, let gateway): self.host == host && self.gateway == gateway
    case .pod(let pod): pods[pod.ip] == pod
    case .removePod(let address): pods[address] == nil
    case .service(let address, let endpoints): services[address] == endpoints
    case .removeService(let address): services[address] == nil
    }
  }

  private mutating func note(_ change: Change) {
    switch change {
    case .host(let host, let gateway):
      self.host = host
      self.gateway = gateway
    case .pod(let pod): pods[pod.ip] = pod
    case .removePod(let address): pods[address] = nil
    case .service(let address, let endpoints): put(endpoints, at: address)
    case .removeService(let address): put(nil, at: address)
    }
  }

  private mutating func put(_ endpoints: [Intent.Endpoint]?, at address: ServiceAddress) {
    services[address] = endpoints
    list.put(endpoints, at: address)
  }

  private var intent: Intent {
    Intent(
      gateway: gateway, host: host, pods: pods.values.sorted { $0.ip < $1.ip },
      services: list.services)
  }
}
