import Core

/// What the node's intent says, by the ends that frames have.
struct FuzzNode {
  /// Service port → endpoint → weight.
  private(set) var services: [FuzzFlow.Service: [UInt64: UInt32]] = [:]
  /// Address → name of the pod there.
  private(set) var pods: [UInt64: String] = [:]

  init(_ intent: Intent) {
    for pod in intent.pods { pods[UInt64(pod.ip.value)] = pod.name }
    for service in intent.services {
      for port in service.ports {
        var endpoints: [UInt64: UInt32] = [:]
        for endpoint in port.endpoints {
          endpoints[UInt64(endpoint.address.value) << 16 | UInt64(endpoint.port)] = endpoint.weight
        }
        services[Self.key(service.clusterIP, port)] = endpoints
      }
    }
  }

  private static func key(
    _ address: IPv4Address, _ port: Intent.ServicePort
  ) -> FuzzFlow.Service {
    FuzzFlow.Service(
      transport: port.transport.rawValue, end: UInt64(address.value) << 16 | UInt64(port.port))
  }

  /// Whether flows may be at an endpoint. UDP flows leave one that takes no new ones: no
  /// end of theirs is ever seen.
  func lists(_ endpoint: UInt64, for service: FuzzFlow.Service) -> Bool {
    guard let weight = services[service]?[endpoint] else { return false }
    return weight > 0 || service.transport == TransportProtocol.tcp.rawValue
  }

  /// Whether an endpoint of the Service port was there before and takes no flow any more.
  func lost(any service: FuzzFlow.Service, of old: FuzzNode) -> Bool {
    (old.services[service] ?? [:]).contains { $0.value > 0 && !lists($0.key, for: service) }
  }

  func pod(of endpoint: UInt64) -> String? { pods[endpoint >> 16] }

  /// Whether the change of a node took an endpoint away, so that nothing may be sent to
  /// it any more. TCP flows may go on for as long as the pod lives (R8).
  func removes(
    _ endpoint: UInt64, of service: FuzzFlow.Service, from old: FuzzNode
  ) -> Bool {
    if lists(endpoint, for: service) { return false }
    guard service.transport == TransportProtocol.tcp.rawValue, let pod = pod(of: endpoint) else {
      return true
    }
    return pod != old.pod(of: endpoint)
  }
}
