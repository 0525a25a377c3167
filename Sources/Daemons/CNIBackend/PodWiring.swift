import Core
import Foundation
import Netlink

/// Connects a pod to its TAP. Every step may have been done before: it begins with a look
/// at what is there. Checksum offload stays as infrap4d sets it on the TAP: segments and
/// partial checksums cross the pipeline as they are.
struct PodWiring {
  let node: NetworkNamespace
  let pod: NetworkNamespace
  let record: PodRecord

  private let outside: RouteSocket
  private let inside: RouteSocket

  init(node: NetworkNamespace, pod: NetworkNamespace, record: PodRecord) throws(NetlinkError) {
    self.node = node
    self.pod = pod
    self.record = record
    outside = try RouteSocket(in: node)
    inside = try RouteSocket(in: pod)
  }

  /// - Parameter before: the request by which the pod is connected, and the TAP's MTU: what only
  ///   that one asked for is undone. What others have made of the interface stays.
  /// - Returns: false when the TAP is in neither namespace; nothing was done then.
  func connect(before: (request: PodRequest, tapMTU: UInt32)? = nil) throws -> Bool {
    if let link = try linkInNode(), link.mac == record.mac {
      // One in the pod beside it is what a killed infrap4d has left.
      try removeInterface()
      try refuseOthers()
      try outside.move(link, to: pod)
    }
    guard var link = try linkInPod() else { return false }
    if link.name != record.interface.name {
      try refuseOthers()
      try inside.setUp(false, link)
      try inside.rename(link, to: record.interface.name)
      link.name = record.interface.name
    }
    if let before { try undo(before.request, before.tapMTU, link) }
    try address(link)
    return true
  }

  /// Whether the pod has its interface, under its name.
  func isConnected() throws(NetlinkError) -> Bool {
    try linkInPod()?.name == record.interface.name
  }

  private func undo(_ before: PodRequest, _ tapMTU: UInt32, _ link: Link) throws {
    let routes = Set(before.routes).subtracting(record.request.routes)
    for route in try inside.routes(of: link)
    where routes.contains(route.destination) && route.gateway == .podGateway {
      try inside.remove(route, from: link)
    }
    let mtu = min(record.request.mtu ?? tapMTU, tapMTU)
    if before.mtu != record.request.mtu, mtu > link.mtu { try inside.setMTU(mtu, link) }
  }

  /// Removes the pod's interface, if it is there.
  func removeInterface() throws(NetlinkError) {
    guard let link = try linkInPod() else { return }
    do {
      try inside.delete(link)
    } catch  where error.errno == ENODEV {
      // Somebody else has.
    }
  }

  /// Makes a TAP in the node's namespace the pod's: ``connect()`` moves it, the slow way, for
  /// pods that infrap4d does not reach.
  func adopt() throws(NetlinkError) {
    if let link = try linkInNode() { try outside.setMACAddress(record.mac, link) }
  }

  private func address(_ link: Link) throws {
    if let mtu = record.request.mtu, mtu < link.mtu { try inside.setMTU(mtu, link) }
    let address = IPv4Prefix(record.request.address, length: 32)
    for old in try inside.addresses(of: link) where old != address {
      try inside.remove(old, from: link)
    }
    try inside.add(address, to: link)
    try inside.setUp(true, link)
    try inside.add(Route(IPv4Prefix(.podGateway, length: 32)), to: link)
    for destination in record.request.routes where destination.address != .podGateway {
      try inside.add(Route(destination, via: .podGateway), to: link)
    }
    if record.request.allowsForwarding {
      try pod.run {
        try Data("1\n".utf8).write(to: URL(fileURLWithPath: "/proc/sys/net/ipv4/ip_forward"))
      }
    }
  }

  /// The pod's interface, or nil. A move may have been cut off before the renaming.
  private func linkInPod() throws(NetlinkError) -> Link? {
    for name in [record.interface.name, record.tap] {
      if let link = try inside.link(named: name), link.kind == "tun", link.mac == record.mac {
        return link
      }
    }
    return nil
  }

  private func linkInNode() throws(NetlinkError) -> Link? {
    try outside.link(named: record.tap).flatMap { $0.kind == "tun" ? $0 : nil }
  }

  /// - Throws: ``CNIBackendError/Code/interfaceInUse`` when the pod has another interface of
  ///   the name.
  func refuseOthers() throws {
    guard try inside.link(named: record.interface.name) != nil else { return }
    throw CNIBackendError(
      .interfaceInUse,
      "\(record.interface) is there already and is not this agent's; take another name or a new pod"
    )
  }
}
