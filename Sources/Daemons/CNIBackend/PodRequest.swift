import Core
import InfraProtos
import Netlink

/// A checked Add request.
struct PodRequest {
  var interface: PodInterface
  var address: IPv4Address
  /// Destinations, all by way of the gateway.
  var routes: [IPv4Prefix]
  /// Bytes of an IP packet; nil leaves the TAP's.
  var mtu: UInt32?
  var allowsForwarding: Bool
  /// As it came, for the Infra Manager.
  var message: Cni_AddRequest

  /// The longest path that the kernel takes.
  private static let longestPath = 4095
  /// IPv4 works with no less (RFC 791).
  private static let smallestMTU: Int32 = 68

  init(_ message: Cni_AddRequest) throws(CNIBackendError) {
    interface = try Self.interface(message.netns, message.interfaceName)
    address = try Self.address(message.containerIps)
    routes = try Self.routes(message.containerRoutes)
    let mtu = message.settings.mtu
    guard mtu <= 0 || mtu >= Self.smallestMTU else {
      throw CNIBackendError(
        .invalidRequest, "settings.mtu is \(mtu); give \(Self.smallestMTU) or more, or 0")
    }
    self.mtu = mtu > 0 ? UInt32(mtu) : nil
    allowsForwarding = message.settings.allowIpForwarding
    self.message = message
  }

  /// The interface that a request is about.
  static func interface(
    _ netns: String, _ name: String
  ) throws(CNIBackendError) -> PodInterface {
    guard netns.hasPrefix("/"), netns.utf8.count <= longestPath, !netns.utf8.contains(0) else {
      throw CNIBackendError(
        .invalidRequest,
        netns.isEmpty
          ? "netns is missing; give the path of the pod's network namespace"
          : "netns is no absolute path: \(netns.prefix(100))")
    }
    try check(name)
    return PodInterface(netns: netns, name: name)
  }

  static func check(_ name: String) throws(CNIBackendError) {
    guard let reason = Link.misnomer(name) else { return }
    throw CNIBackendError(
      .invalidRequest,
      "interface_name \"\(name.prefix(100))\" \(reason); give the interface's name in the pod")
  }

  private static func address(
    _ addresses: [Cni_IPConfig]
  ) throws(CNIBackendError) -> IPv4Address {
    guard let first = addresses.first else {
      throw CNIBackendError(
        .invalidRequest, "container_ips is empty; give one IPv4 address as 10.244.0.6/32")
    }
    guard addresses.count == 1 else {
      throw CNIBackendError(
        .invalidRequest, "container_ips has \(addresses.count) addresses; a pod has one, of IPv4")
    }
    let text = first.address
    guard let address = IPv4Prefix(text)?.address else {
      throw CNIBackendError(
        .invalidRequest,
        text.contains(":")
          ? "container_ips has the IPv6 address \(text.prefix(100)); the pipeline forwards IPv4: "
            + "configure an IPv4 pool only"
          : "container_ips has \"\(text.prefix(100))\"; give an IPv4 address as 10.244.0.6/32")
    }
    guard address.isUnicast, address != .podGateway else {
      throw CNIBackendError(
        .invalidRequest, "container_ips has \(address), which no pod can have")
    }
    return address
  }

  /// Calico sends the default routes of both families to every pod: those of IPv6 are left
  /// out, as there is no address of IPv6 to use them with.
  private static func routes(_ routes: [String]) throws(CNIBackendError) -> [IPv4Prefix] {
    var prefixes: [IPv4Prefix] = []
    for text in routes where !text.contains(":") {
      guard let prefix = IPv4Prefix(text)?.network else {
        throw CNIBackendError(
          .invalidRequest,
          "container_routes has \"\(text.prefix(100))\"; give prefixes as 0.0.0.0/0")
      }
      if !prefixes.contains(prefix) { prefixes.append(prefix) }
    }
    return prefixes
  }
}

extension IPv4Address {
  /// The gateway of every pod: an address of no machine, whose ARP the dataplane answers.
  static let podGateway = IPv4Address(0xA9FE_0101)

  /// What an interface can have: neither `0.0.0.0/8`, loopback, multicast nor reserved.
  fileprivate var isUnicast: Bool {
    switch value >> 24 {
    case 0, 127, 224...: false
    default: true
    }
  }
}
