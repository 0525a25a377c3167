import Core

/// The first packet of a connection, and the answer to it.
struct WhyProbe {
  private static let echoRequest: UInt8 = 8
  private static let echoReply: UInt8 = 0

  let question: WhyQuestion
  let site: WhyTables.Site
  /// Of ICMP: the identifier.
  var sourcePort: UInt16

  var requestName: String {
    switch question.transport {
    case .tcp: "a SYN"
    case .udp: "a datagram"
    case .icmp: "an echo request"
    }
  }

  var replyName: String {
    switch question.transport {
    case .tcp: "the SYN-ACK in answer to it"
    case .udp: "a datagram in answer to it"
    case .icmp: "the echo reply"
    }
  }

  var request: [UInt8] {
    let builder = PacketBuilder(
      from: site.mac, to: Self.group(question.destination) ?? site.gateway)
    var ip = PacketBuilder.IPv4(from: question.source, to: question.destination)
    ip.dontFragment = true
    switch question.transport {
    case .tcp:
      return builder.tcp(
        ip, PacketBuilder.TCP(from: sourcePort, to: question.port, flags: .syn))
    case .udp:
      return builder.udp(ip, PacketBuilder.UDP(from: sourcePort, to: question.port))
    case .icmp:
      return builder.icmp(ip, type: Self.echoRequest, rest: UInt32(sourcePort) << 16 | 1)
    }
  }

  /// The Ethernet address of a group of receivers (RFC 1112 section 6.4); nil for one receiver.
  private static func group(_ address: IPv4Address) -> MACAddress? {
    if address.value == .max { return .broadcast }
    guard address.value >> 28 == 0b1110 else { return nil }
    return MACAddress(0x0100_5E00_0000 | UInt64(address.value & 0x7F_FFFF))
  }

  /// What the receiver of a request answers, to where the request came from.
  ///
  /// - Returns: nil for a packet that is no such request.
  func reply(to request: [UInt8]) -> [UInt8]? {
    let layers = FrameLayers(request)
    guard let ip = layers.ipv4, let from = layers.mac(EthernetHeader.destination),
      let to = layers.mac(EthernetHeader.source)
    else { return nil }
    let builder = PacketBuilder(from: from, to: to)
    var back = PacketBuilder.IPv4(from: ip.destination, to: ip.source)
    back.dontFragment = true
    guard question.transport != .icmp else {
      return builder.icmp(back, type: Self.echoReply, rest: UInt32(sourcePort) << 16 | 1)
    }
    guard let destination = layers.u16(ip.header.upperBound + TCPHeader.destinationPort) else {
      return nil
    }
    return question.transport == .tcp
      ? builder.tcp(
        back, PacketBuilder.TCP(from: destination, to: sourcePort, flags: [.syn, .ack]))
      : builder.udp(back, PacketBuilder.UDP(from: destination, to: sourcePort))
  }

  /// Whether a reply comes from where the request was sent to.
  func isAnswered(by reply: [UInt8]) -> Bool {
    let layers = FrameLayers(reply)
    guard let ip = layers.ipv4, ip.source == question.destination,
      ip.destination == question.source
    else { return false }
    guard question.transport != .icmp else { return true }
    return layers.u16(ip.header.upperBound + TCPHeader.sourcePort) == question.port
      && layers.u16(ip.header.upperBound + TCPHeader.destinationPort) == sourcePort
  }

  /// Where a TCP or UDP packet goes.
  static func destination(of frame: [UInt8]) -> K8sDP.Connection.Socket? {
    let layers = FrameLayers(frame)
    guard let ip = layers.ipv4,
      let port = layers.u16(ip.header.upperBound + TCPHeader.destinationPort)
    else { return nil }
    return K8sDP.Connection.Socket(ip.destination, port)
  }
}
