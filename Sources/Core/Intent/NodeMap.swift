/// The interfaces of the node by address, and the rows they need.
struct NodeMap {
  private(set) var interfaces: [IPv4Address: Intent.Interface] = [:]
  private(set) var arpTargets: [UInt64: TableEntry] = [:]
  private(set) var routes: [UInt64: TableEntry] = [:]
  private var pods: Set<IPv4Address> = []
  private let routerMAC: MACAddress

  /// The router's MAC when the intent names neither gateway nor host.
  static let defaultRouterMAC = MACAddress(0x0200_0000_0001)

  init(_ intent: Intent) throws(IntentError) {
    routerMAC = intent.gateway?.mac ?? intent.host?.mac ?? Self.defaultRouterMAC
    if let gateway = intent.gateway { try add(gateway) }
    if let host = intent.host {
      guard host.port == K8sDP.hostPort else {
        throw IntentError(
          host.name, "port \(host.port) cannot be the host's: it is \(K8sDP.hostPort)")
      }
      try add(host)
    }
    var ports: [PortID: String] = [:]
    for pod in intent.pods {
      guard pod.port != K8sDP.hostPort, pod.port != intent.gateway?.port else {
        throw IntentError(pod.name, "port \(pod.port) is taken by the host or the gateway")
      }
      if let other = ports.updateValue(pod.name, forKey: pod.port) {
        throw IntentError(pod.name, "port \(pod.port) is also that of pod \(other)")
      }
      try add(pod)
      pods.insert(pod.ip)
    }
  }

  private mutating func add(_ interface: Intent.Interface) throws(IntentError) {
    if let other = interfaces.updateValue(interface, forKey: interface.ip) {
      throw IntentError(
        interface.name, "its address \(interface.ip) is also that of \(other.name)")
    }
    let target = K8sDP.arpTarget(interface.ip, egress: interface.port)
    arpTargets[target.key[0]] = target
    let route = K8sDP.route(interface.ip, hop(interface))
    routes[route.key[0]] = route
  }

  private func hop(_ interface: Intent.Interface) -> K8sDP.Hop {
    K8sDP.Hop(egress: interface.port, dstMAC: interface.mac, srcMAC: routerMAC)
  }

  /// The way to an address of this node.
  func hop(to address: IPv4Address) -> K8sDP.Hop? { interfaces[address].map(hop) }

  func isPod(_ address: IPv4Address) -> Bool { pods.contains(address) }
}
