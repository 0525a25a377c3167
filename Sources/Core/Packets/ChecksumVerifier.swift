/// What a strict receiver would object to in a frame.
public enum ChecksumVerifier {
  /// One line a problem, in the order of the headers; none for a good frame.
  ///
  /// Looks at IPv4 header, TCP, UDP and ICMP. Transport checksums of fragments
  /// cannot be known from one frame and are taken for good. UDP without a
  /// checksum is accepted (RFC 768). Bytes behind the IPv4 packet are padding.
  public static func problems(in frame: [UInt8]) -> [String] {
    let layers = FrameLayers(frame)
    guard frame.count >= EthernetHeader.length, let type = layers.etherType else {
      return ["frame of \(frame.count) bytes ends in its Ethernet header"]
    }
    if type == EtherType.arp, frame.count < layers.network + ARPHeader.length {
      return ["frame ends in its ARP packet"]
    }
    guard type == EtherType.ipv4 else { return [] }
    guard let ip = layers.ipv4 else { return ["IPv4 header is cut short or malformed"] }
    var problems: [String] = []
    if Checksum.internet(frame[ip.header]) != 0 {
      problems.append(
        wrong("IPv4 header", layers, ip.header.lowerBound + IPv4Header.checksum, ip.header, 0))
    }
    if ip.payloadLength < 0 {
      return problems + ["IPv4 total length \(ip.totalLength) is below its header's"]
    }
    let end = ip.header.lowerBound + ip.totalLength
    if end > frame.count {
      return problems + ["IPv4 total length \(ip.totalLength) goes beyond the frame"]
    }
    return ip.isFragment ? problems : problems + transport(layers, ip, ip.header.upperBound..<end)
  }

  private static func transport(
    _ layers: FrameLayers, _ ip: IPv4Layer, _ payload: Range<Int>
  ) -> [String] {
    let pseudo = Checksum.pseudoHeader(
      source: ip.source, destination: ip.destination, transport: ip.transport,
      length: payload.count)
    switch ip.transport {
    case TransportProtocol.tcp.rawValue:
      guard payload.count >= TCPHeader.length else { return ["TCP header is cut short"] }
      let offset = layers.u8(payload.lowerBound + TCPHeader.dataOffset) ?? 0
      let size = Int(offset >> 4) * 4
      if size < TCPHeader.length || size > payload.count {
        return ["TCP data offset \(size) does not fit its segment"]
      }
      return check("TCP", layers, TCPHeader.checksum, payload, pseudo)
    case TransportProtocol.udp.rawValue:
      guard payload.count >= UDPHeader.length else { return ["UDP header is cut short"] }
      let length = Int(layers.u16(payload.lowerBound + UDPHeader.datagramLength) ?? 0)
      if length < UDPHeader.length || length > payload.count {
        return ["UDP length \(length) does not fit its packet"]
      }
      if layers.u16(payload.lowerBound + UDPHeader.checksum) == 0 { return [] }
      let datagram = payload.lowerBound..<(payload.lowerBound + length)
      return check(
        "UDP", layers, UDPHeader.checksum, datagram,
        pseudo - UInt64(payload.count) + UInt64(length))
    case 1:
      guard payload.count >= ICMPHeader.length else { return ["ICMP header is cut short"] }
      return check("ICMP", layers, ICMPHeader.checksum, payload, 0)
    default:
      return []
    }
  }

  private static func check(
    _ name: String, _ layers: FrameLayers, _ field: Int, _ range: Range<Int>, _ initial: UInt64
  ) -> [String] {
    if Checksum.internet(layers.frame[range], initial: initial) == 0 { return [] }
    return [wrong(name, layers, range.lowerBound + field, range, initial)]
  }

  private static func wrong(
    _ name: String, _ layers: FrameLayers, _ field: Int, _ range: Range<Int>, _ initial: UInt64
  ) -> String {
    var bytes = layers.frame
    bytes.set(0, at: field)
    let right = Checksum.internet(bytes[range], initial: initial)
    let found = layers.u16(field) ?? 0
    return "\(name) checksum is 0x\(String(found, radix: 16)), should be "
      + "0x\(String(right, radix: 16))"
  }
}
