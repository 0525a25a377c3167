/// Builds Ethernet frames, right by default and wrong where asked to be.
///
/// Every length and checksum that is nil is worked out; one that is given is
/// put in as it is. Values are host order.
public struct PacketBuilder: Hashable, Sendable {
  /// An IPv4 header.
  public struct IPv4: Hashable, Sendable {
    public var source: IPv4Address
    public var destination: IPv4Address
    public var ttl: UInt8 = 64
    public var typeOfService: UInt8 = 0
    public var identification: UInt16 = 0
    public var dontFragment = false
    public var moreFragments = false
    /// In units of 8 bytes; the lower 13 bits count.
    public var fragmentOffset: UInt16 = 0
    /// Padded with zeros to a multiple of 4 bytes; at most 40.
    public var options: [UInt8] = []
    public var version: UInt8 = 4
    /// In units of 4 bytes.
    public var headerLength: UInt8?
    public var totalLength: UInt16?
    public var checksum: UInt16?

    public init(from source: IPv4Address, to destination: IPv4Address) {
      self.source = source
      self.destination = destination
    }
  }

  /// A TCP header.
  public struct TCP: Hashable, Sendable {
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var flags: TCPFlags
    public var sequence: UInt32 = 0
    public var acknowledgment: UInt32 = 0
    public var window: UInt16 = 65_535
    public var urgent: UInt16 = 0
    /// Padded with zeros to a multiple of 4 bytes; at most 40.
    public var options: [UInt8] = []
    /// In units of 4 bytes; the lower 4 bits count.
    public var dataOffset: UInt8?
    public var checksum: UInt16?

    public init(from sourcePort: UInt16, to destinationPort: UInt16, flags: TCPFlags) {
      self.sourcePort = sourcePort
      self.destinationPort = destinationPort
      self.flags = flags
    }
  }

  /// A UDP header.
  public struct UDP: Hashable, Sendable {
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var length: UInt16?
    /// 0 says that there is none (RFC 768).
    public var checksum: UInt16?

    public init(from sourcePort: UInt16, to destinationPort: UInt16) {
      self.sourcePort = sourcePort
      self.destinationPort = destinationPort
    }
  }

  public var source: MACAddress
  public var destination: MACAddress
  /// Tag control information of a VLAN tag: priority 3 bits, DEI 1, VLAN id 12.
  public var vlan: UInt16?
  /// Zeros are added to reach this many bytes: 60 is what Ethernet sends.
  public var minimumLength = 0

  public init(from source: MACAddress, to destination: MACAddress, vlan: UInt16? = nil) {
    self.source = source
    self.destination = destination
    self.vlan = vlan
  }

  /// A frame with any payload.
  public func frame(etherType: UInt16, payload: [UInt8]) -> [UInt8] {
    var frame: [UInt8] = []
    frame.append(destination)
    frame.append(source)
    if let vlan {
      frame.append(EtherType.vlan)
      frame.append(vlan)
    }
    frame.append(etherType)
    frame += payload
    if frame.count < minimumLength {
      frame += [UInt8](repeating: 0, count: minimumLength - frame.count)
    }
    return frame
  }

  /// An ARP packet.
  ///
  /// - Parameter operation: 1 is a request, 2 a reply (RFC 826).
  public func arp(
    operation: UInt16, senderMAC: MACAddress, senderIP: IPv4Address,
    targetMAC: MACAddress = .zero, targetIP: IPv4Address
  ) -> [UInt8] {
    var packet: [UInt8] = [0, 1, 8, 0, 6, 4]
    packet.append(operation)
    packet.append(senderMAC)
    packet.append(senderIP.value)
    packet.append(targetMAC)
    packet.append(targetIP.value)
    return frame(etherType: EtherType.arp, payload: packet)
  }

  /// An IPv4 packet with any payload.
  public func ipv4(_ ip: IPv4, transport: UInt8, payload: [UInt8]) -> [UInt8] {
    let options = ip.options.prefix(40).padded(to: 4)
    let length = IPv4Header.length + options.count
    var header: [UInt8] = []
    header.append(ip.version << 4 | (ip.headerLength ?? UInt8(length / 4)) & 0xF)
    header.append(ip.typeOfService)
    header.append(ip.totalLength ?? UInt16(truncatingIfNeeded: length + payload.count))
    header.append(ip.identification)
    header.append(
      (ip.dontFragment ? IPv4Header.dontFragment : 0)
        | (ip.moreFragments ? IPv4Header.moreFragments : 0)
        | ip.fragmentOffset & IPv4Header.offsetMask)
    header.append(ip.ttl)
    header.append(transport)
    header.append(UInt16(0))
    header.append(ip.source.value)
    header.append(ip.destination.value)
    header += options
    header.set(ip.checksum ?? Checksum.internet(header), at: IPv4Header.checksum)
    return frame(etherType: EtherType.ipv4, payload: header + payload)
  }

  /// A TCP segment.
  public func tcp(_ ip: IPv4, _ tcp: TCP, payload: [UInt8] = []) -> [UInt8] {
    let options = tcp.options.prefix(40).padded(to: 4)
    let length = TCPHeader.length + options.count
    var segment: [UInt8] = []
    segment.append(tcp.sourcePort)
    segment.append(tcp.destinationPort)
    segment.append(tcp.sequence)
    segment.append(tcp.acknowledgment)
    segment.append((tcp.dataOffset ?? UInt8(length / 4)) << 4)
    segment.append(tcp.flags.rawValue)
    segment.append(tcp.window)
    segment.append(UInt16(0))
    segment.append(tcp.urgent)
    segment += options
    segment += payload
    let sum = tcp.checksum ?? checksum(of: segment, ip, TransportProtocol.tcp.rawValue)
    segment.set(sum, at: TCPHeader.checksum)
    return ipv4(ip, transport: TransportProtocol.tcp.rawValue, payload: segment)
  }

  /// A UDP datagram.
  public func udp(_ ip: IPv4, _ udp: UDP, payload: [UInt8] = []) -> [UInt8] {
    var datagram: [UInt8] = []
    datagram.append(udp.sourcePort)
    datagram.append(udp.destinationPort)
    datagram.append(
      udp.length ?? UInt16(truncatingIfNeeded: UDPHeader.length + payload.count))
    datagram.append(UInt16(0))
    datagram += payload
    var sum = udp.checksum ?? checksum(of: datagram, ip, TransportProtocol.udp.rawValue)
    if udp.checksum == nil, sum == 0 { sum = 0xFFFF }
    datagram.set(sum, at: UDPHeader.checksum)
    return ipv4(ip, transport: TransportProtocol.udp.rawValue, payload: datagram)
  }

  /// An ICMP message, such as type 8, an echo request (RFC 792).
  ///
  /// - Parameter rest: The second word of the header: for echo the identifier
  ///   and then the sequence number.
  public func icmp(
    _ ip: IPv4, type: UInt8, code: UInt8 = 0, rest: UInt32 = 0, payload: [UInt8] = [],
    checksum: UInt16? = nil
  ) -> [UInt8] {
    var message: [UInt8] = [type, code, 0, 0]
    message.append(rest)
    message += payload
    message.set(checksum ?? Checksum.internet(message), at: ICMPHeader.checksum)
    return ipv4(ip, transport: 1, payload: message)
  }

  private func checksum(of segment: [UInt8], _ ip: IPv4, _ transport: UInt8) -> UInt16 {
    Checksum.internet(
      segment,
      initial: Checksum.pseudoHeader(
        source: ip.source, destination: ip.destination, transport: transport,
        length: segment.count))
  }
}
