import Core

/// The traffic of the benchmark: clients with TCP connections to one Service,
/// in the smallest Ethernet frames.
struct BenchTraffic {
  static let vip = IPv4Address(0x0A60_0050)
  static let vipPort: UInt16 = 80
  static let gatewayMAC = MACAddress(0x0200_0000_0001)
  /// Without the frame check sequence (IEEE 802.3 3.2.8).
  static let frameLength = 60
  /// Ports of one client that are used: with fewer clients than endpoints of
  /// flows, tuples are as structured as a load generator's.
  private static let portsPerClient = 50_000
  /// The port of the pipeline that all clients are behind.
  static let clientPort: PortID = 2

  /// Connections, each with a tuple of its own.
  let flows: Int

  /// Addresses of the clients of the flows up to a number.
  static func clients(flows: Int) -> [IPv4Address] {
    (0...((flows - 1) / portsPerClient)).map { IPv4Address(0x0AF4_8000 + UInt32($0)) }
  }

  /// Frames of one kind for the flows from `first` on, one behind the other.
  ///
  /// - Parameter flags: SYN opens a connection.
  func requests(first: Int = 0, flags: TCPFlags) -> FrameList {
    let ethernet = builder()
    var list = FrameList(frameLength: Self.frameLength)
    for i in first..<(first + flows) {
      let client = IPv4Address(0x0AF4_8000 + UInt32(i / Self.portsPerClient))
      let port = UInt16(1024 + i % Self.portsPerClient)
      list.append(
        ethernet.tcp(
          .init(from: client, to: Self.vip), .init(from: port, to: Self.vipPort, flags: flags)),
        port: Self.clientPort)
    }
    return list
  }

  /// An endpoint's answer to a request as it arrived there.
  func reply(to request: UnsafeRawBufferPointer) -> [UInt8] {
    let layers = FrameLayers(Array(request))
    guard let ip = layers.ipv4, let source = layers.u16(ip.header.upperBound),
      let destination = layers.u16(ip.header.upperBound + 2)
    else { return [] }
    return builder().tcp(
      .init(from: ip.destination, to: ip.source),
      .init(from: destination, to: source, flags: [.ack]))
  }

  private func builder() -> PacketBuilder {
    var ethernet = PacketBuilder(
      from: MACAddress(0x0200_0000_0002), to: Self.gatewayMAC)
    ethernet.minimumLength = Self.frameLength
    return ethernet
  }
}

/// Frames of one length in one block, so that measuring does not chase pointers.
struct FrameList {
  let frameLength: Int
  private var bytes: [UInt8] = []
  private var ports: [PortID] = []

  init(frameLength: Int) { self.frameLength = frameLength }

  var count: Int { ports.count }

  mutating func append(_ frame: some Collection<UInt8>, port: PortID) {
    bytes += frame
    ports.append(port)
  }

  func withFrame(_ i: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[(i * frameLength)..<((i + 1) * frameLength)]))
    }
  }

  /// Copies frames into an empty batch: round and round from `first` on.
  func fill(_ batch: inout FrameBatch, first: Int, count size: Int) {
    bytes.withUnsafeBytes { block in
      for i in first..<(first + size) {
        let at = i % count
        let frame = UnsafeRawBufferPointer(
          rebasing: block[(at * frameLength)..<((at + 1) * frameLength)])
        _ = batch.append(frame, port: ports[at])
      }
    }
  }
}
