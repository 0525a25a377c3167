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
    case .service(let address, let endpoints): services[address] = endpoints
    case .removeService(let address): services[address] = nil
    }
  }

  private var intent: Intent {
    var byAddress: [IPv4Address: [Intent.ServicePort]] = [:]
    for (service, endpoints) in services {
      byAddress[service.address, default: []].append(
        Intent.ServicePort(
          transport: service.transport, port: service.port, endpoints: endpoints))
    }
    return Intent(
      gateway: gateway, host: host,
      pods: pods.values.sorted { $0.ip < $1.ip },
      services: byAddress.sorted { $0.key < $1.key }.map { address, ports in
        Intent.Service(
          name: "\(address)", clusterIP: address,
          ports: ports.sorted {
            ($0.port, $0.transport.rawValue) < ($1.port, $1.transport.rawValue)
          }
        )
      })
  }
}
