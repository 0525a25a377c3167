import CNetlink
import Core
import Glibc

/// Who has an IPv4 address on a link.
public struct Neighbour: Hashable, Sendable {
  public var address: IPv4Address
  public var mac: MACAddress
  /// Never asked for by ARP, never forgotten.
  public var isPermanent: Bool

  public init(_ address: IPv4Address, mac: MACAddress, isPermanent: Bool = true) {
    self.address = address
    self.mac = mac
    self.isPermanent = isPermanent
  }
}

extension RouteSocket {
  /// The neighbours on a link whose Ethernet addresses are known.
  public func neighbours(of link: Link) throws(NetlinkError) -> [Neighbour] {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_INET)
    let request = NetlinkRequest(Int(RTM_GETNEIGH), flags: NLM_F_DUMP, header)
    return try send(request, "list neighbours of", link.name).compactMap { reply in
      guard let header: ndmsg = reply.body.load(at: 0), header.ndm_ifindex == link.index else {
        return nil
      }
      let attributes = reply.attributes(after: MemoryLayout<ndmsg>.size)
      guard let address = IPv4Address(bytes: attributes[Int(NDA_DST)]),
        let mac = attributes[Int(NDA_LLADDR)], mac.count == 6
      else { return nil }
      return Neighbour(
        address, mac: MACAddress(mac.reduce(0) { $0 << 8 | UInt64($1) }),
        isPermanent: Int32(header.ndm_state) & NUD_PERMANENT != 0)
    }
  }

  /// Adds a permanent neighbour, or puts it in the place of one with the same address.
  public func add(_ neighbour: Neighbour, to link: Link) throws(NetlinkError) {
    var request = Self.request(
      Int(RTM_NEWNEIGH), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, neighbour.address, link)
    let mac = stride(from: UInt64(40), through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: neighbour.mac.value >> $0)
    }
    request.append(Int(NDA_LLADDR), bytes: mac)
    try send(request, "add neighbour \(neighbour.address) to", link.name)
  }

  /// - Throws: ``NetlinkError`` with ENOENT when it is not there.
  public func removeNeighbour(
    _ address: IPv4Address, from link: Link
  ) throws(NetlinkError) {
    try send(
      Self.request(Int(RTM_DELNEIGH), NLM_F_ACK, address, link), "remove neighbour \(address) from",
      link.name)
  }

  private static func request(
    _ type: Int, _ flags: Int32, _ address: IPv4Address, _ link: Link
  ) -> NetlinkRequest {
    var header = ndmsg()
    header.ndm_family = UInt8(AF_INET)
    header.ndm_ifindex = link.index
    header.ndm_state = UInt16(NUD_PERMANENT)
    var request = NetlinkRequest(type, flags: flags, header)
    request.append(Int(NDA_DST), bytes: address.bytes)
    return request
  }
}
