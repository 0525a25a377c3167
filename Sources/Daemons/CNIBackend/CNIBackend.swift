import Core
import InfraProtos
import Logging
import Netlink

/// Connects pods to the pipeline and takes them off.
///
/// A record of what is to be done is on disk before anything is done, and goes last of
/// all: whatever is cut off half way is found again, by the next Add, Del or start. All
/// steps can be repeated.
public final class CNIBackend: Sendable {
  /// What an Add answers.
  public struct Connection: Hashable, Sendable {
    /// The name of the TAP in infrap4d.
    public var tap: String
    /// Of the pod's interface.
    public var mac: String
  }

  let node: NodeLinks
  let networks: any PodNetworks
  let ports: any TAPPorts
  let records: PodRecords
  let names: TAPNames
  let mtu: UInt32
  let locks = KeyedLock<PodInterface>()
  let logger: Logger

  /// Reads the records that are there.
  public init(
    options: CNIBackendOptions = CNIBackendOptions(), networks: any PodNetworks,
    ports: any TAPPorts, logger: Logger
  ) throws(CNIBackendError) {
    node = try NodeLinks(options.hostNamespace)
    records = try PodRecords(options.folder, logger: logger)
    names = TAPNames(ports: ports, node: node, options: options)
    mtu = options.mtu
    self.networks = networks
    self.ports = ports
    self.logger = logger
  }

  /// Connects a pod; one that is connected already stays as it is.
  public func add(_ message: Cni_AddRequest) async throws -> Connection {
    let request = try PodRequest(message)
    let namespace = try Self.namespace(of: request.interface)
    try await learn()
    try await evictHolder(of: request)
    return try await locks.withLock(request.interface) {
      if let record = await self.records[request.interface] {
        if record.namespace == namespace.identity, record.request.address == request.address {
          // The pod may be in use: what fails now undoes nothing.
          let before = record.request
          var record = try await self.following(record, in: namespace)
          record.request = request
          try await self.records.keep(record)
          return try await self.connect(record, in: namespace, before: before)
        }
        try await self.disconnect(record)
      }
      return try await self.connectFirst(request, in: namespace)
    }
  }

  /// Disconnects a pod; one that is not connected is no error. Without a namespace in the
  /// request, all pods whose namespaces are gone are disconnected.
  public func delete(_ message: Cni_DelRequest) async throws {
    guard !message.netns.isEmpty else {
      try PodRequest.check(message.interfaceName)
      return try await sweep()
    }
    let interface = try PodRequest.interface(message.netns, message.interfaceName)
    try await locks.withLock(interface) {
      guard let record = await self.records[interface] else { return }
      try await self.learn()
      try await self.disconnect(record)
    }
  }

  /// Disconnects all pods whose namespaces are gone.
  func sweep() async throws {
    let records = await records.all.filter { Self.namespace(of: $0) == nil }
    guard !records.isEmpty else { return }
    try await learn()
    for record in records where try await isGone(record) {
      try await disconnectIfThere(record)
    }
  }

  func learn() async throws { try await names.learn(used: await records.taps) }
}
