import Core

/// What a port of the pipeline is made of.
public enum PortKind: Hashable, Sendable, Codable {
  /// A TAP interface that the daemon makes, and takes away with the port.
  case tap
  /// A network interface that is there already, by AF_PACKET: a veth in a test, an
  /// uplink in production.
  case packet
}

/// Where a network interface is: it may have been moved to a pod and renamed.
public struct InterfaceLocation: Hashable, Sendable, Codable {
  /// Its name in that network namespace.
  public var name: String
  /// The inode number of the namespace's file, as `stat` gives it for
  /// `/proc/PID/ns/net` or `/run/netns/NAME`.
  public var namespace: UInt64

  public init(name: String, namespace: UInt64) {
    self.name = name
    self.namespace = namespace
  }
}

/// Where a TAP is made, other than in the daemon's own namespace under the port's name.
public struct InterfacePlace: Hashable, Sendable, Codable {
  /// Path of the network namespace, such as `/run/netns/NAME`.
  public var netns: String
  /// Its name there.
  public var name: String

  public init(netns: String, name: String) {
    self.netns = netns
    self.name = name
  }
}

/// A port as it is asked for.
public struct PortDescription: Hashable, Sendable, Codable {
  /// The name of the network interface: 1 to 15 bytes, no `/` and no white space.
  public var name: String
  public var kind: PortKind
  /// Bytes of an IP packet on it: 68 (RFC 791) to 65,535.
  public var mtu: Int
  /// The id that it must have; nil takes the lowest that is free.
  public var id: PortID?
  /// Where a TAP is that an earlier process left: it is taken over there. nil looks
  /// for one of the port's name in the process's own namespace, and makes it unless
  /// it is there.
  public var location: InterfaceLocation?
  /// Where a TAP is made that no earlier process left. An interface of that name must not
  /// be there.
  public var place: InterfacePlace?
  /// Of a TAP that is made; nil is one that the kernel chooses.
  public var macAddress: MACAddress?

  public init(
    name: String, kind: PortKind, mtu: Int = 1500, id: PortID? = nil,
    location: InterfaceLocation? = nil, place: InterfacePlace? = nil,
    macAddress: MACAddress? = nil
  ) {
    self.name = name
    self.kind = kind
    self.mtu = mtu
    self.id = id
    self.location = location
    self.place = place
    self.macAddress = macAddress
  }
}

/// Frames and bytes since the port was made, in the pipeline's sense: `in` is from
/// the interface into the pipeline. Bytes are without frame check sequence.
public struct PortCounters: Hashable, Sendable {
  public var framesIn: UInt64 = 0
  public var bytesIn: UInt64 = 0
  public var framesOut: UInt64 = 0
  public var bytesOut: UInt64 = 0
  /// Frames that the kernel had for the pipeline and no room to keep until they were read: they
  /// are not among those that came in. Of a TAP, since the interface was made.
  public var lost: UInt64 = 0
  /// Frames that the pipeline dropped, by reason name.
  public var dropped: [String: UInt64] = [:]
  /// Frames that the interface did not take, because its queue was full or it was
  /// down.
  public var refused: UInt64 = 0
  public var errorsIn: UInt64 = 0
  public var errorsOut: UInt64 = 0
  public init() {}
}

/// A port as it is.
public struct PortStatus: Hashable, Sendable {
  public var id: PortID
  public var description: PortDescription
  /// The kernel's index of the interface.
  public var interfaceIndex: Int32
  /// Whether the interface is up and running. A TAP that was moved into another
  /// namespace is seen through its file descriptor.
  public var isUp: Bool
  public var macAddress: MACAddress?
  public var counters: PortCounters
  /// Where the interface is now; nil when it is gone with its namespace.
  public var location: InterfaceLocation?

  public init(
    id: PortID, description: PortDescription, interfaceIndex: Int32, isUp: Bool,
    macAddress: MACAddress?, counters: PortCounters, location: InterfaceLocation? = nil
  ) {
    self.id = id
    self.description = description
    self.interfaceIndex = interfaceIndex
    self.isUp = isUp
    self.macAddress = macAddress
    self.counters = counters
    self.location = location
  }
}

/// The ports of a pipeline, made and removed while it runs.
public protocol PortRegistry: Sendable {
  /// Makes a port. The interface is there when this returns, and frames flow as soon
  /// as it is up: a new TAP is down until somebody gives it its addresses.
  ///
  /// - Returns: its id.
  /// - Throws: ``DataplaneError``: `alreadyExists` for the name or id,
  ///   `invalidArgument` for a bad name, MTU or MAC address, `notFound` for an AF_PACKET
  ///   interface or a namespace that is not there, `resourceExhausted` when there is no id left,
  ///   `unavailable` when the kernel refuses (with its reason).
  func add(_ port: PortDescription) async throws -> PortID

  /// Removes a port; a TAP interface goes with it.
  ///
  /// - Throws: ``DataplaneError``: `notFound`.
  func remove(_ name: String) async throws

  /// All ports by ascending id.
  func ports() async -> [PortStatus]

  /// Where the TAPs are that are not gone, by the ports' names: what ``ports()`` tells of
  /// them, with much less work.
  func locations() async -> [String: InterfaceLocation]
}
