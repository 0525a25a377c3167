/// Byte offsets from the start of an Ethernet header (IEEE 802.3).
public enum EthernetHeader {
  @inlinable public static var destination: Int { 0 }
  @inlinable public static var source: Int { 6 }
  @inlinable public static var etherType: Int { 12 }
  @inlinable public static var length: Int { 14 }
}

/// Values of an Ethertype field (IANA).
public enum EtherType {
  @inlinable public static var ipv4: UInt16 { 0x0800 }
  @inlinable public static var arp: UInt16 { 0x0806 }
  @inlinable public static var vlan: UInt16 { 0x8100 }
  @inlinable public static var ipv6: UInt16 { 0x86DD }
}

/// Byte offsets from the start of a VLAN tag, counted from behind the Ethertype
/// 0x8100 that announces it (IEEE 802.1Q).
public enum VLANTag {
  @inlinable public static var control: Int { 0 }
  @inlinable public static var etherType: Int { 2 }
  @inlinable public static var length: Int { 4 }
}

/// Byte offsets from the start of an ARP packet for IPv4 on Ethernet (RFC 826).
public enum ARPHeader {
  @inlinable public static var hardwareType: Int { 0 }
  @inlinable public static var protocolType: Int { 2 }
  @inlinable public static var hardwareLength: Int { 4 }
  @inlinable public static var protocolLength: Int { 5 }
  @inlinable public static var operation: Int { 6 }
  @inlinable public static var senderMAC: Int { 8 }
  @inlinable public static var senderIP: Int { 14 }
  @inlinable public static var targetMAC: Int { 18 }
  @inlinable public static var targetIP: Int { 24 }
  @inlinable public static var length: Int { 28 }
}

/// Byte offsets from the start of an IPv4 header (RFC 791).
public enum IPv4Header {
  @inlinable public static var versionAndIHL: Int { 0 }
  @inlinable public static var typeOfService: Int { 1 }
  @inlinable public static var totalLength: Int { 2 }
  @inlinable public static var identification: Int { 4 }
  @inlinable public static var flagsAndOffset: Int { 6 }
  @inlinable public static var ttl: Int { 8 }
  @inlinable public static var transport: Int { 9 }
  @inlinable public static var checksum: Int { 10 }
  @inlinable public static var source: Int { 12 }
  @inlinable public static var destination: Int { 16 }
  /// Without options.
  @inlinable public static var length: Int { 20 }

  /// Bits of the flags and offset field.
  @inlinable public static var dontFragment: UInt16 { 0x4000 }
  @inlinable public static var moreFragments: UInt16 { 0x2000 }
  /// The offset counts units of 8 bytes.
  @inlinable public static var offsetMask: UInt16 { 0x1FFF }
}

/// Byte offsets from the start of an IPv6 header (RFC 8200).
public enum IPv6Header {
  @inlinable public static var payloadLength: Int { 4 }
  @inlinable public static var nextHeader: Int { 6 }
  @inlinable public static var source: Int { 8 }
  @inlinable public static var destination: Int { 24 }
  @inlinable public static var length: Int { 40 }
}

/// Byte offsets from the start of a TCP header (RFC 9293).
public enum TCPHeader {
  @inlinable public static var sourcePort: Int { 0 }
  @inlinable public static var destinationPort: Int { 2 }
  @inlinable public static var sequence: Int { 4 }
  @inlinable public static var acknowledgment: Int { 8 }
  /// The upper four bits, in units of 4 bytes.
  @inlinable public static var dataOffset: Int { 12 }
  @inlinable public static var flags: Int { 13 }
  @inlinable public static var window: Int { 14 }
  @inlinable public static var checksum: Int { 16 }
  @inlinable public static var urgent: Int { 18 }
  /// Without options.
  @inlinable public static var length: Int { 20 }
}

/// Byte offsets from the start of a UDP header (RFC 768).
public enum UDPHeader {
  @inlinable public static var sourcePort: Int { 0 }
  @inlinable public static var destinationPort: Int { 2 }
  @inlinable public static var datagramLength: Int { 4 }
  @inlinable public static var checksum: Int { 6 }
  @inlinable public static var length: Int { 8 }
}

/// Byte offsets from the start of an ICMP header (RFC 792).
public enum ICMPHeader {
  @inlinable public static var type: Int { 0 }
  @inlinable public static var code: Int { 1 }
  @inlinable public static var checksum: Int { 2 }
  @inlinable public static var rest: Int { 4 }
  @inlinable public static var length: Int { 8 }
}
