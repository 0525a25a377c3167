import CNetlink
import Core
import Glibc

extension RouteSocket {
  /// The routes through a link.
  public func routes(of link: Link) throws(NetlinkError) -> [Route] {
    var header = rtmsg()
    header.rtm_family = UInt8(AF_INET)
    let request = NetlinkRequest(Int(RTM_GETROUTE), flags: NLM_F_DUMP, header)
    return try send(request, "list routes of", link.name).compactMap { Route($0, of: link) }
  }

  /// Adds a route through a link that is up, or puts it in the place of one to the same
  /// destination.
  public func add(_ route: Route, to link: Link) throws(NetlinkError) {
    try send(
      Self.request(
        Int(RTM_NEWROUTE), NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, route, link),
      "add route \(route) to", link.name)
  }

  /// Removes a route, whoever made it.
  ///
  /// - Throws: ``NetlinkError`` with ESRCH when it is not there.
  public func remove(_ route: Route, from link: Link) throws(NetlinkError) {
    try send(
      Self.request(Int(RTM_DELROUTE), NLM_F_ACK, route, link, by: RTPROT_UNSPEC),
      "remove route \(route) from",
      link.name)
  }

  private static func request(
    _ type: Int, _ flags: Int32, _ route: Route, _ link: Link, by maker: Int32 = RTPROT_STATIC
  ) -> NetlinkRequest {
    var header = rtmsg()
    header.rtm_family = UInt8(AF_INET)
    header.rtm_dst_len = route.destination.length
    header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
    header.rtm_protocol = UInt8(maker)
    header.rtm_type = UInt8(RTN_UNICAST)
    header.rtm_scope = UInt8(
      route.gateway == nil ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
    var request = NetlinkRequest(type, flags: flags, header)
    request.append(Int(RTA_DST.rawValue), bytes: route.destination.address.bytes)
    request.append(Int(RTA_OIF.rawValue), UInt32(bitPattern: link.index))
    if let gateway = route.gateway {
      request.append(Int(RTA_GATEWAY.rawValue), bytes: gateway.bytes)
    }
    return request
  }
}
