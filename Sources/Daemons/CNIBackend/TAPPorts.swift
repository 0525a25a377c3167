/// The TAPs of infrap4d. All calls may be repeated.
public protocol TAPPorts: Sendable {
  /// All TAPs that infrap4d has as ports.
  func list() async throws -> [TAPPort]

  /// Makes a TAP, in the node's namespace, and a port of it.
  ///
  /// - Parameter mtu: bytes of an IP packet.
  func create(_ name: String, mtu: UInt32) async throws

  /// Removes a port and its TAP, in whatever namespace that is; one that is not there is
  /// no error.
  func delete(_ name: String) async throws
}

/// A TAP as infrap4d sees it.
public struct TAPPort: Hashable, Sendable {
  /// Of the port, also when the interface has another name now.
  public var name: String
  /// In the pipeline.
  public var id: UInt64
  /// false when the interface went away with its namespace.
  public var isPresent: Bool

  public init(name: String, id: UInt64, isPresent: Bool) {
    self.name = name
    self.id = id
    self.isPresent = isPresent
  }
}
