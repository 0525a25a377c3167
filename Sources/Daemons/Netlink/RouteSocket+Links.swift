import CNetlink
import Core
import Glibc

extension RouteSocket {
  /// All links of the namespace.
  public func links() throws(NetlinkError) -> [Link] {
    let request = NetlinkRequest(Int(RTM_GETLINK), flags: NLM_F_DUMP, ifinfomsg())
    return try send(request, "list", "links").compactMap(Link.init)
  }

  /// nil when there is none.
  public func link(named name: String) throws(NetlinkError) -> Link? {
    // The kernel answers a name that cannot be with other errors.
    guard Link.misnomer(name) == nil else { return nil }
    var request = NetlinkRequest(Int(RTM_GETLINK), flags: NLM_F_ACK, ifinfomsg())
    request.append(Int(IFLA_IFNAME), name)
    return try find(request, name)
  }

  /// nil when there is none.
  public func link(index: Int32) throws(NetlinkError) -> Link? {
    try find(
      NetlinkRequest(Int(RTM_GETLINK), flags: NLM_F_ACK, Self.header(index)), "link \(index)")
  }

  private func find(_ request: NetlinkRequest, _ object: String) throws(NetlinkError) -> Link? {
    do {
      return try send(request, "find", object).lazy.compactMap(Link.init).first
    } catch  where error.errno == ENODEV {
      return nil
    }
  }

  public func setUp(_ isUp: Bool, _ link: Link) throws(NetlinkError) {
    var header = Self.header(link.index)
    header.ifi_flags = isUp ? UInt32(IFF_UP) : 0
    header.ifi_change = UInt32(IFF_UP)
    try send(
      NetlinkRequest(Int(RTM_NEWLINK), flags: NLM_F_ACK, header), isUp ? "set up" : "set down",
      link.name)
  }

  /// The link has to be down.
  public func rename(_ link: Link, to name: String) throws(NetlinkError) {
    if let reason = Link.misnomer(name) {
      throw NetlinkError(EINVAL, "rename", link.name, detail: "\"\(name)\" \(reason)")
    }
    try change(link, "rename to \(name)") { $0.append(Int(IFLA_IFNAME), name) }
  }

  /// - Parameter mtu: bytes of an IP packet.
  public func setMTU(_ mtu: UInt32, _ link: Link) throws(NetlinkError) {
    try change(link, "set MTU \(mtu)") { $0.append(Int(IFLA_MTU), mtu) }
  }

  public func setMACAddress(_ mac: MACAddress, _ link: Link) throws(NetlinkError) {
    let bytes = stride(from: UInt64(40), through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: mac.value >> $0)
    }
    try change(link, "set address \(mac)") { $0.append(Int(IFLA_ADDRESS), bytes: bytes) }
  }

  /// Moves a link, with its name, into a namespace. It is down there, and has neither
  /// addresses nor routes.
  public func move(_ link: Link, to namespace: NetworkNamespace) throws(NetlinkError) {
    try change(link, "move to \(namespace.path)") {
      $0.append(Int(IFLA_NET_NS_FD), UInt32(bitPattern: namespace.descriptor))
    }
  }

  public func delete(_ link: Link) throws(NetlinkError) {
    try send(
      NetlinkRequest(Int(RTM_DELLINK), flags: NLM_F_ACK, Self.header(link.index)), "delete",
      link.name)
  }

  private func change(
    _ link: Link, _ what: String, _ fill: (inout NetlinkRequest) -> Void
  ) throws(NetlinkError) {
    var request = NetlinkRequest(Int(RTM_NEWLINK), flags: NLM_F_ACK, Self.header(link.index))
    fill(&request)
    try send(request, what, link.name)
  }

  private static func header(_ index: Int32) -> ifinfomsg {
    var header = ifinfomsg()
    header.ifi_family = UInt8(AF_UNSPEC)
    header.ifi_index = index
    return header
  }
}
