import Core
import Foundation
import Netlink

/// The node's own interface in the pipeline: what pods send to no pod goes there, and the
/// host reaches pods by it. Every step may have been done before.
public struct HostInterface: Sendable {
  public struct Options: Sendable {
    /// Path of the namespace in which infrap4d makes TAPs.
    public var namespace = "/proc/self/ns/net"
    /// TAPs are named by this and a number: 0 is the ARP proxy's, 1 the host's.
    public var tapPrefix = "P4TAP_"
    /// Upstream's, with 32 bits.
    public var address = IPv4Address(0xC801_0102)
    /// Bytes of an IP packet.
    public var mtu: UInt32 = 1500
    /// Where pods' addresses are from: what the host sends there goes to the pipeline.
    public var podPrefixes: [IPv4Prefix] = []
    /// The kernel's settings of networks. In a container `/proc/sys` is read-only: another mount
    /// of it is as good.
    public var sysctls = "/proc/sys/net"

    public init() {}
  }

  /// What the manager has to know.
  public struct Address: Hashable, Sendable {
    public var tap: String
    public var ip: IPv4Address
    public var mac: MACAddress
  }

  /// The gateway of pods has no machine, and so no Ethernet address: this one, of which the
  /// host has a permanent neighbour, is as good as any. The pipeline writes the pods'.
  private static let gateway = Neighbour(
    IPv4Address(0xA9FE_0101), mac: MACAddress(0x0200_A9FE_0101))

  private let options: Options
  private let ports: any TAPPorts
  /// One thing after the other on the interface.
  private let lock = KeyedLock<String>()

  public init(_ options: Options, ports: any TAPPorts) {
    self.options = options
    self.ports = ports
  }

  /// Makes the TAPs of ports 0 and 1 if they are not there, and sets up that of port 1.
  ///
  /// - Parameter morePrefixes: of pods, beside those of the options; asked for when it is their
  ///   turn.
  /// - Throws: ``CNIBackendError``, `NetlinkError`.
  public func prepare(
    _ morePrefixes: @escaping @autoclosure @Sendable () -> [IPv4Prefix] = []
  ) async throws -> Address {
    try await lock.withLock(options.tapPrefix) { try await prepareNow(morePrefixes()) }
  }

  private func prepareNow(_ morePrefixes: [IPv4Prefix]) async throws -> Address {
    let taps = (0...1).map { options.tapPrefix + "\($0)" }
    for tap in taps where try await !isPresent(tap) {
      try await ports.delete(tap)
      try await ports.create(tap, mtu: options.mtu)
    }
    let list = try await ports.list()
    guard let port = list.first(where: { $0.name == taps[1] }),
      port.id == UInt64(K8sDP.hostPort)
    else {
      throw CNIBackendError(
        .misplacedTAP,
        "\(taps[1]) is not port \(K8sDP.hostPort) of the pipeline, which is the host's; remove "
          + "the ports that were made before it (gnmi-ctl del) and \(taps[1])")
    }
    // What no pod has leaves port 1 with the address that answered for the gateway: an
    // arp-proxy's is that of port 0, and the kernel takes only what has its interface's own.
    let mac = list.first { $0.name == taps[0] }?.mac
    return try await blocking { try setUp(taps[1], mac, options.podPrefixes + morePrefixes) }
  }

  private func isPresent(_ tap: String) async throws -> Bool {
    try await ports.list().contains { $0.name == tap && $0.isPresent }
  }

  private func setUp(
    _ tap: String, _ mac: MACAddress?, _ podPrefixes: [IPv4Prefix]
  ) throws -> Address {
    let namespace = try NetworkNamespace(path: options.namespace)
    let socket = try RouteSocket(in: namespace)
    guard var link = try socket.link(named: tap) else {
      throw CNIBackendError(
        .misplacedTAP,
        "infrap4d has \(tap), which is not in this agent's namespace; run both in the node's")
    }
    if let mac, mac != link.mac {
      try socket.setMACAddress(mac, link)
      link.mac = mac
    }
    if link.mtu != options.mtu { try socket.setMTU(options.mtu, link) }
    let address = IPv4Prefix(options.address, length: 32)
    for old in try socket.addresses(of: link) where old != address {
      try socket.remove(old, from: link)
    }
    try socket.add(address, to: link)
    try socket.setUp(true, link)
    try socket.add(Self.gateway, to: link)
    let gateway = Route(IPv4Prefix(Self.gateway.address, length: 32))
    try socket.add(gateway, to: link)
    let wanted = Set(podPrefixes.map { Route($0, via: Self.gateway.address) })
    for old in try socket.routes(of: link) where old != gateway && !wanted.contains(old) {
      try socket.remove(old, from: link)
    }
    for route in wanted { try socket.add(route, to: link) }
    try namespace.run {
      // Answers ARP for the gateway, at once, and forwards what pods send to the world.
      try write("1", "conf/\(tap)/forwarding")
      try write("1", "conf/\(tap)/proxy_arp_pvlan")
      try write("0", "neigh/\(tap)/proxy_delay")
    }
    return Address(tap: tap, ip: options.address, mac: link.mac)
  }

  private func write(_ value: String, _ name: String) throws {
    let path = "\(options.sysctls)/ipv4/\(name)"
    do {
      try Data("\(value)\n".utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw CNIBackendError(
        .kernel,
        "\(path) cannot be set to \(value): \(error.localizedDescription); "
          + "the agent needs \(options.sysctls) to be writable")
    }
  }
}
