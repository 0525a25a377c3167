import Core

/// The TAPs of infrap4d. All calls may be repeated.
public protocol TAPPorts: Sendable {
  /// All TAPs that infrap4d has as ports.
  func list() async throws -> [TAPPort]

  /// Makes a TAP and a port of it, in the place of what may be left of one of this name.
  ///
  /// - Parameters:
  ///   - mtu: bytes of an IP packet.
  ///   - place: where the TAP shall be; nil is the node's namespace, under the port's name.
  /// - Returns: false when infrap4d does not reach the place; the TAP is in the node's
  ///   namespace then.
  func create(_ name: String, mtu: UInt32, in place: TAPPlace?) async throws -> Bool

  /// Removes a port and its TAP, in whatever namespace that is; one that is not there is
  /// no error.
  func delete(_ name: String) async throws
}

extension TAPPorts {
  /// Makes a TAP in the node's namespace.
  public func create(_ name: String, mtu: UInt32) async throws {
    _ = try await create(name, mtu: mtu, in: nil)
  }
}

/// What a TAP is in its pod.
public struct TAPPlace: Hashable, Sendable {
  public var interface: PodInterface
  public var mac: MACAddress

  public init(_ interface: PodInterface, mac: MACAddress) {
    self.interface = interface
    self.mac = mac
  }
}

/// A TAP as infrap4d sees it.
public struct TAPPort: Hashable, Sendable {
  /// Of the port, also when the interface has another name now.
  public var name: String
  /// In the pipeline.
  public var id: UInt64
  /// false when the interface went away with its namespace.
  public var isPresent: Bool
  /// nil when infrap4d does not tell.
  public var mac: MACAddress?

  public init(name: String, id: UInt64, isPresent: Bool, mac: MACAddress? = nil) {
    self.name = name
    self.id = id
    self.isPresent = isPresent
    self.mac = mac
  }
}
