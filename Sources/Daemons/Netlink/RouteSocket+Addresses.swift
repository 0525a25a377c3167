import CNetlink
import Core
import Glibc

extension RouteSocket {
  /// The IPv4 addresses of a link.
  public func addresses(of link: Link) throws(NetlinkError) -> [IPv4Prefix] {
    var header = ifaddrmsg()
    header.ifa_family = UInt8(AF_INET)
    let request = NetlinkRequest(Int(RTM_GETADDR), flags: NLM_F_DUMP, header)
    return try send(request, "list addresses of", link.name).compactMap { reply in
      guard let header: ifaddrmsg = reply.body.load(at: 0),
        header.ifa_index == UInt32(bitPattern: link.index)
      else { return nil }
      let attributes = reply.attributes(after: MemoryLayout<ifaddrmsg>.size)
      return IPv4Address(bytes: attributes[Int(IFA_LOCAL)]).map {
        IPv4Prefix($0, length: header.ifa_prefixlen)
      }
    }
  }

  /// Adds an address; one that is there stays.
  public func add(_ address: IPv4Prefix, to link: Link) throws(NetlinkError) {
    try send(
      Self.request(
        Int(RTM_NEWADDR), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, address, link),
      "add address \(address) to", link.name)
  }

  /// - Throws: ``NetlinkError`` with EADDRNOTAVAIL when it is not there.
  public func remove(_ address: IPv4Prefix, from link: Link) throws(NetlinkError) {
    try send(
      Self.request(Int(RTM_DELADDR), NLM_F_ACK, address, link), "remove address \(address) from",
      link.name)
  }

  private static func request(
    _ type: Int, _ flags: Int32, _ address: IPv4Prefix, _ link: Link
  ) -> NetlinkRequest {
    var header = ifaddrmsg()
    header.ifa_family = UInt8(AF_INET)
    header.ifa_prefixlen = address.length
    header.ifa_index = UInt32(bitPattern: link.index)
    var request = NetlinkRequest(type, flags: flags, header)
    request.append(Int(IFA_LOCAL), bytes: address.address.bytes)
    request.append(Int(IFA_ADDRESS), bytes: address.address.bytes)
    return request
  }
}
