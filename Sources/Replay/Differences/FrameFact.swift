import Core

/// Something that can be said about what became of a frame, such as `ttl: 64`.
public struct FrameFact: Hashable, Sendable, CustomStringConvertible {
  /// What it is about. The raw value is its key in the catalogue.
  public enum Subject: String, CaseIterable, Sendable {
    /// The port it left on, or `none`.
    case port
    /// The reason of the drop, or `none`.
    case drop
    /// `changed` or `unchanged`, by any byte.
    case frame
    case ttl
    /// Address, and port if the packet begins with one.
    case source, destination
    case sourceMAC = "source MAC"
    case destinationMAC = "destination MAC"
    /// `right` or `wrong`, of all that the frame has.
    case checksums
    /// As the header has it: `0x1a2b`.
    case ipChecksum = "IP checksum"
    case udpChecksum = "UDP checksum"
    case tcpChecksum = "TCP checksum"
    /// IPv4 options: `changed` or `unchanged`.
    case options
    /// What is behind the headers of IPv4 and, in a packet that begins with them,
    /// TCP or UDP; of other frames, behind the Ethernet header.
    case payload
  }

  public var subject: Subject
  public var value: String

  public init(_ subject: Subject, _ value: String) {
    self.subject = subject
    self.value = value
  }

  public var description: String { "\(subject.rawValue) \(value)" }

  /// What is true of a result.
  ///
  /// - Parameter input: the frame as it went in.
  public static func measured(_ subject: Subject, of result: FrameResult, input: [UInt8])
    -> FrameFact
  {
    FrameFact(subject, value(subject, result, FrameLayers(input)))
  }

  private static func value(_ subject: Subject, _ result: FrameResult, _ input: FrameLayers)
    -> String
  {
    switch (subject, result.verdict) {
    case (.port, .forward(let port)): return "\(port)"
    case (.drop, .drop(let reason)): return reason.name
    case (.drop, .forward), (_, .drop): return "none"
    case (_, .forward): break
    }
    let output = FrameLayers(result.bytes)
    switch subject {
    case .port, .drop: return "none"
    case .frame: return change(input.frame[...], output.frame[...])
    case .ttl: return output.ttl.map { "\($0)" } ?? "none"
    case .source: return output.endpoint(source: true) ?? "none"
    case .destination: return output.endpoint(source: false) ?? "none"
    case .sourceMAC: return output.mac(EthernetHeader.source)?.description ?? "none"
    case .destinationMAC: return output.mac(EthernetHeader.destination)?.description ?? "none"
    case .checksums:
      return ChecksumVerifier.problems(in: result.bytes).isEmpty ? "right" : "wrong"
    case .ipChecksum: return hex(output.u16(output.network + IPv4Header.checksum))
    case .udpChecksum: return hex(output.transport.flatMap { output.u16($0 + UDPHeader.checksum) })
    case .tcpChecksum: return hex(output.transport.flatMap { output.u16($0 + TCPHeader.checksum) })
    case .options: return change(input.options, output.options)
    case .payload: return change(input.payload, output.payload)
    }
  }

  private static func change(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> String {
    a.elementsEqual(b) ? "unchanged" : "changed"
  }

  private static func hex(_ value: UInt16?) -> String {
    guard let value else { return "none" }
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension FrameLayers {
  /// Of a frame that says it is IPv4, whether or not its header is in order.
  var ttl: UInt8? {
    etherType == EtherType.ipv4 ? u8(network + IPv4Header.ttl) : nil
  }

  /// Where the header of TCP or UDP begins, in a packet that begins with one.
  fileprivate var transport: Int? {
    guard let ip = ipv4, ip.offset == 0, TransportProtocol(rawValue: ip.transport) != nil else {
      return nil
    }
    return ip.header.upperBound
  }

  fileprivate func endpoint(source: Bool) -> String? {
    guard let ip = ipv4 else { return nil }
    let address = source ? ip.source : ip.destination
    guard let transport else { return "\(address)" }
    return u16(transport + (source ? 0 : 2)).map { "\(address):\($0)" } ?? "\(address)"
  }

  fileprivate var options: ArraySlice<UInt8> {
    ipv4.map { frame[($0.header.lowerBound + IPv4Header.length)..<$0.header.upperBound] } ?? []
  }

  fileprivate var payload: ArraySlice<UInt8> {
    guard let ip = ipv4 else { return frame.dropFirst(network) }
    guard let transport else { return frame[ip.header.upperBound...] }
    let isUDP = ip.transport == TransportProtocol.udp.rawValue
    return frame.dropFirst(transport + (isUDP ? UDPHeader.length : TCPHeader.length))
  }
}
