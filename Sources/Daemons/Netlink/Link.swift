import CNetlink
import Core
import Glibc

/// A network interface.
public struct Link: Hashable, Sendable {
  public var index: Int32
  public var name: String
  /// Zero for an interface without.
  public var mac: MACAddress
  /// Bytes of an IP packet.
  public var mtu: UInt32
  public var isUp: Bool
  /// `tun` for a TAP, `veth`, …; empty for hardware.
  public var kind: String

  init?(_ reply: NetlinkReply) {
    guard Int(reply.header.nlmsg_type) == Int(RTM_NEWLINK),
      let header: ifinfomsg = reply.body.load(at: 0)
    else { return nil }
    let attributes = reply.attributes(after: MemoryLayout<ifinfomsg>.size)
    guard let name = attributes[Int(IFLA_IFNAME)]?.text else { return nil }
    self.name = name
    index = header.ifi_index
    isUp = header.ifi_flags & UInt32(IFF_UP) != 0
    mtu = attributes[Int(IFLA_MTU)]?.load(at: 0) ?? 0
    let address = attributes[Int(IFLA_ADDRESS)] ?? []
    mac = address.count == 6 ? MACAddress(address.reduce(0) { $0 << 8 | UInt64($1) }) : .zero
    let info = attributes[Int(IFLA_LINKINFO)].map {
      NetlinkReply(header: reply.header, body: $0).attributes(after: 0)
    }
    kind = info?[Int(IFLA_INFO_KIND)]?.text ?? ""
  }

  /// Why a text is no name of an interface, or nil.
  public static func misnomer(_ name: String) -> String? {
    let length = name.utf8.count
    if length == 0 { return "is empty" }
    if length > 15 { return "has \(length) bytes; 15 is the most" }
    if name == "." || name == ".." { return "is a folder" }
    let isBad = name.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x2F || $0 == 0x3A }
    return isBad ? "has a slash, a colon, white space or a control character" : nil
  }
}
