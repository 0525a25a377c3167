/// The interfaces of a node by address.
struct NodeState: Sendable, Codable {
  enum Role: String, Hashable, Sendable, Codable { case gateway, host, pod }

  /// An interface and what it is.
  struct Site: Hashable, Sendable, Codable {
    var role: Role
    var interface: Intent.Interface

    /// For error messages: `pod web-1`.
    var title: String { "\(role.rawValue) \(interface.name)" }
  }

  private(set) var gateway: Intent.Interface?
  private(set) var host: Intent.Interface?
  private(set) var pods: [Intent.Interface] = []
  private(set) var sites: [UInt32: Site] = [:]
  /// What routed frames carry as source.
  private(set) var sourceMAC = Self.sourceMAC(gateway: nil, host: nil)

  static func sourceMAC(gateway: Intent.Interface?, host: Intent.Interface?) -> MACAddress {
    gateway?.mac ?? host?.mac ?? MACAddress(0x0200_0000_0001)
  }

  mutating func commit(_ change: NodeChange, _ intent: Intent) {
    gateway = intent.gateway
    host = intent.host
    pods = intent.pods
    sourceMAC = change.sourceMAC
    for (address, site) in change.sites { sites[address] = site }
  }
}

/// What a new intent changes about a node's interfaces.
struct NodeChange: Sendable {
  /// Address → its new site, or nil inside for one that is gone. Addresses that
  /// are not here keep what they have.
  private(set) var sites: [UInt32: NodeState.Site?] = [:]
  let sourceMAC: MACAddress
  /// The number of sites afterwards.
  private(set) var count: Int
  /// Addresses whose rows may change, ascending.
  private(set) var affected: [UInt32] = []

  init(from node: NodeState, to intent: Intent) throws(IntentError) {
    sourceMAC = NodeState.sourceMAC(gateway: intent.gateway, host: intent.host)
    count = node.sites.count
    let window = Window(from: node.pods, to: intent.pods)
    if node.gateway != intent.gateway, let gone = node.gateway { sites[gone.ip.value] = .some(nil) }
    if node.host != intent.host, let gone = node.host { sites[gone.ip.value] = .some(nil) }
    for pod in node.pods[window.old] { sites[pod.ip.value] = .some(nil) }

    if node.gateway != intent.gateway, let new = intent.gateway { try add(.gateway, new, node) }
    if node.host != intent.host, let new = intent.host { try add(.host, new, node) }
    for pod in intent.pods[window.new] { try add(.pod, pod, node) }
    let gatewayMoved = node.gateway?.port != intent.gateway?.port
    for pod in intent.pods[gatewayMoved ? intent.pods.indices : window.new] {
      try Self.checkPort(of: pod, gateway: intent.gateway)
    }

    sites = sites.filter { node.sites[$0.key] != $0.value }
    for (address, site) in sites {
      count += (site == nil ? 0 : 1) - (node.sites[address] == nil ? 0 : 1)
    }
    var addresses = Set(sites.keys)
    if sourceMAC != node.sourceMAC { addresses.formUnion(node.sites.keys) }
    affected = addresses.sorted()
  }

  private mutating func add(
    _ role: NodeState.Role, _ interface: Intent.Interface, _ node: NodeState
  ) throws(IntentError) {
    let site = NodeState.Site(role: role, interface: interface)
    if let other = self.site(interface.ip, in: node) {
      throw IntentError(
        site.title, "its address \(interface.ip) is that of \(other.title); give it its own")
    }
    guard interface.ip.isUnicast else {
      throw IntentError(site.title, "\(interface.ip) is no unicast address; give it one")
    }
    guard !interface.mac.isGroup else {
      throw IntentError(site.title, "\(interface.mac) is a group MAC; give it a unicast one")
    }
    if role == .host, interface.port != K8sDP.hostPort {
      throw IntentError(
        site.title, "is on port \(interface.port), and the pipeline's host port is 1; use 1")
    }
    sites[interface.ip.value] = site
  }

  private static func checkPort(
    of pod: Intent.Interface, gateway: Intent.Interface?
  ) throws(IntentError) {
    if pod.port == K8sDP.hostPort {
      throw IntentError("pod \(pod.name)", "port 1 is the host's; use 2 or above")
    }
    if pod.port == gateway?.port ?? 0 {
      throw IntentError("pod \(pod.name)", "port \(pod.port) is the gateway's; use another")
    }
  }

  /// What an address is afterwards.
  func site(_ address: IPv4Address, in node: NodeState) -> NodeState.Site? {
    if let changed = sites[address.value] { return changed }
    return node.sites[address.value]
  }
}

extension NodeState.Site {
  /// How frames reach it.
  func hop(sourceMAC: MACAddress) -> K8sDP.Hop {
    K8sDP.Hop(egress: interface.port, dstMAC: interface.mac, srcMAC: sourceMAC)
  }
}

extension IPv4Address {
  /// Neither 0.0.0.0 nor multicast, reserved or broadcast (224.0.0.0 and above).
  var isUnicast: Bool { value != 0 && value < 0xE000_0000 }
}
