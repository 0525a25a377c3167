/// The answer to an ARP request over Ethernet (RFC 826), whatever address is asked for.
struct ARPReply: Equatable {
  /// From the Ethernet header on, without padding.
  let frame: [UInt8]

  /// Ethernet, and ARP for IPv4.
  static let length = 14 + 28

  /// - Parameters:
  ///   - request: a frame as it came.
  ///   - mac: six bytes, of this interface.
  /// - Returns: nil for what is no request, and for those that nobody must answer: probes
  ///   and announcements (RFC 5227), by which a host sees whether an address is free.
  init?(answering request: some Collection<UInt8>, mac: [UInt8]) {
    let bytes = Array(request.prefix(Self.length))
    // ARP; Ethernet and IPv4, with addresses of 6 and 4 bytes; a request.
    guard bytes.count == Self.length, mac.count == 6,
      bytes[12..<22].elementsEqual([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1])
    else { return nil }
    let (senderMAC, sender, target) = (bytes[22..<28], bytes[28..<32], bytes[38..<42])
    guard !sender.elementsEqual([0, 0, 0, 0]), !sender.elementsEqual(target),
      senderMAC.first.map({ $0 & 1 == 0 }) == true
    else { return nil }
    var frame: [UInt8] = senderMAC + mac
    frame += [0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2]
    frame += mac + target
    frame += senderMAC + sender
    self.frame = frame
  }
}
