import CNetlink
import Core
import Glibc

/// A unicast route of IPv4 in the main table.
public struct Route: Hashable, Sendable, CustomStringConvertible {
  public var destination: IPv4Prefix
  /// nil is a route to what is on the link itself (scope link).
  public var gateway: IPv4Address?

  public init(_ destination: IPv4Prefix, via gateway: IPv4Address? = nil) {
    self.destination = destination.network
    self.gateway = gateway
  }

  public var description: String {
    gateway.map { "\(destination) via \($0)" } ?? "\(destination) scope link"
  }

  init?(_ reply: NetlinkReply, of link: Link) {
    guard Int(reply.header.nlmsg_type) == Int(RTM_NEWROUTE),
      let header: rtmsg = reply.body.load(at: 0), Int(header.rtm_type) == Int(RTN_UNICAST),
      Int(header.rtm_family) == Int(AF_INET)
    else { return nil }
    let attributes = reply.attributes(after: MemoryLayout<rtmsg>.size)
    let table: UInt32? = attributes[Int(RTA_TABLE.rawValue)]?.load(at: 0)
    let output: Int32? = attributes[Int(RTA_OIF.rawValue)]?.load(at: 0)
    guard table == UInt32(RT_TABLE_MAIN.rawValue), output == link.index else { return nil }
    let address = IPv4Address(bytes: attributes[Int(RTA_DST.rawValue)]) ?? IPv4Address(0)
    self.init(
      IPv4Prefix(address, length: header.rtm_dst_len),
      via: IPv4Address(bytes: attributes[Int(RTA_GATEWAY.rawValue)]))
  }
}
