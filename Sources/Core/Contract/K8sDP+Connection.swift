extension K8sDP {
  /// A connection to a Service, or a UDP flow to it, as the pipeline keeps it: what an entry of
  /// `flows` for the client's direction says. The entry for replies is its mirror image.
  public struct Connection: Hashable, Sendable {
    /// An address and a port.
    public struct Socket: Hashable, Sendable, CustomStringConvertible {
      public var address: IPv4Address
      public var port: UInt16

      public init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
      }

      init(_ address: UInt64, _ port: UInt64) {
        self.init(
          IPv4Address(UInt32(truncatingIfNeeded: address)), UInt16(truncatingIfNeeded: port))
      }

      public var description: String { "\(address):\(port)" }
    }

    public var transport: TransportProtocol
    public var client: Socket
    /// What the client calls.
    public var service: Socket
    /// Where its packets go.
    public var endpoint: Socket
    /// The row of `endpoints`.
    public var endpointID: UInt32
    /// The state, which is what the timer that runs is named after.
    public var timer: Timer

    /// NAT_DNAT of the pipeline: the direction from the client.
    private static let fromClient: UInt64 = 1
    /// KIND_TCP and KIND_TCP_HALF; UDP has the epoch of its slot there.
    private static let tcpKinds: ClosedRange<UInt64> = 6...7

    /// - Returns: nil for other entries: those for replies, and those that stand for nothing
    ///   any more (``Timer/tcpStale``): often the connection has another.
    public init?(_ entry: LearnedEntry) {
      guard entry.table == K8sDP.flowsTable, entry.key.count == 6, entry.arguments.count == 5,
        entry.arguments[4] == Self.fromClient, let timer = Timer(rawValue: entry.timer),
        timer != .tcpStale
      else { return nil }
      self.timer = timer
      transport = Self.tcpKinds.contains(entry.key[4]) ? .tcp : .udp
      client = Socket(entry.key[0], entry.key[1])
      service = Socket(entry.key[2], entry.key[3])
      endpoint = Socket(entry.arguments[1], entry.arguments[2])
      endpointID = UInt32(truncatingIfNeeded: entry.arguments[0])
    }
  }
}
