import Core
import Foundation
import Netlink

/// Connects a pod to its TAP and takes the TAP back. Every step may have been done
/// before: both begin with a look at what is there. Checksum offload stays as infrap4d
/// sets it on the TAP: segments and partial checksums cross the pipeline as they are.
struct PodWiring {
  let node: NetworkNamespace
  let pod: NetworkNamespace
  let record: PodRecord

  private let outside: RouteSocket
  private let inside: RouteSocket

  /// What became of the TAP of a pod that was disconnected.
  enum Ending {
    /// It is in the node's namespace.
    case returned
    /// It is not where it was.
    case gone
  }

  init(node: NetworkNamespace, pod: NetworkNamespace, record: PodRecord) throws(NetlinkError) {
    self.node = node
    self.pod = pod
    self.record = record
    outside = try RouteSocket(in: node)
    inside = try RouteSocket(in: pod)
  }

  /// - Returns: false when the TAP is in neither namespace; nothing was done then.
  func connect() throws -> Bool {
    let fresh = try outside.link(named: record.tap)
    var link = try linkInPod()
    if let fresh {
      // One in the pod beside it is what a killed infrap4d has left.
      if let link { try inside.delete(link) }
      try refuseOthers()
      try outside.setMACAddress(record.mac, fresh)
      try outside.move(fresh, to: pod)
      link = try inside.link(named: record.tap)
    }
    guard var link else { return false }
    if link.name != record.interface.name {
      try refuseOthers()
      try inside.setUp(false, link)
      try inside.rename(link, to: record.interface.name)
      link.name = record.interface.name
    }
    try address(link)
    return true
  }

  /// Takes the TAP back into the node's namespace, under its own name.
  func disconnect() throws -> Ending {
    let isHome = try outside.link(named: record.tap) != nil
    guard let link = try linkInPod() else { return isHome ? .returned : .gone }
    guard !isHome else {
      try inside.delete(link)
      return .returned
    }
    try inside.setUp(false, link)
    if link.name != record.tap { try inside.rename(link, to: record.tap) }
    guard let renamed = try inside.link(named: record.tap) else { return .gone }
    try inside.move(renamed, to: node)
    return .returned
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

  private func refuseOthers() throws {
    guard try inside.link(named: record.interface.name) != nil else { return }
    throw CNIBackendError(
      .interfaceInUse,
      "\(record.interface) is there already and is not this agent's; take another name or a new pod"
    )
  }
}
