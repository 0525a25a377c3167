import Core
import InfraProtos
import Netlink

/// What Add, Del and recovery are made of.
extension CNIBackend {
  /// Connects a pod of which there is no record, wholly or not at all.
  func connectFirst(
    _ request: PodRequest, in namespace: NetworkNamespace
  ) async throws -> Connection {
    let (tap, mac) = try await takeTAP()
    let record = PodRecord(
      request: request, namespace: namespace.identity, tap: tap, mac: mac)
    do {
      try await records.keep(record)
    } catch {
      await pool.giveBack(tap)
      throw error
    }
    do {
      return try await connect(record, in: namespace)
    } catch {
      do {
        try await disconnect(record)
      } catch let second {
        logger.warning(
          "a failed Add is not undone yet; the next Add, Del or start does it",
          metadata: ["pod": "\(record.interface)", "reason": "\(second)"])
      }
      throw error
    }
  }

  /// Carries out whatever is not done yet.
  func connect(_ record: PodRecord, in namespace: NetworkNamespace) async throws -> Connection {
    if try await !wire(record, namespace) {
      logger.warning("the TAP is gone and is made anew", metadata: ["tap": "\(record.tap)"])
      try await pool.renew(record.tap)
      guard try await wire(record, namespace) else { throw Self.missing(record.tap) }
    }
    try await networks.create(record.request.message, tap: record.tap, mac: record.mac)
    return Connection(tap: record.tap, mac: record.mac.description)
  }

  /// Undoes whatever was done, in the order in which nothing is left when it is cut off:
  /// no frames, then no interface, then no record, and only then is the TAP another's.
  func disconnect(_ record: PodRecord) async throws {
    let request = Cni_DelRequest.with {
      $0.netns = record.interface.netns
      $0.interfaceName = record.interface.name
    }
    try await networks.delete(
      request, tap: record.tap, mac: record.mac, address: record.request.address)
    switch try await unwire(record) {
    case .returned:
      try await records.remove(record.interface)
      await pool.giveBack(record.tap)
    case .gone:
      try await pool.destroy(record.tap)
      try await records.remove(record.interface)
      await pool.release(record.tap)
    }
  }

  /// Disconnects a pod unless somebody else has done so meanwhile.
  func disconnectIfThere(_ record: PodRecord) async throws {
    try await locks.withLock(record.interface) {
      guard let now = await self.records[record.interface], now.namespace == record.namespace,
        now.tap == record.tap
      else { return }
      try await self.disconnect(now)
    }
  }

  /// Disconnects the pod that has the address of another one's request, if there is no such
  /// namespace any more: its TAP may outlive that for a moment.
  func evictHolder(of request: PodRequest) async throws {
    guard let holder = await records.holder(of: request.address),
      holder.interface != request.interface, Self.namespace(of: holder) == nil
    else { return }
    try await disconnectIfThere(holder)
  }

  /// Whether a pod's namespace went away, and its TAP with it. A path alone does not tell:
  /// it may be missing here while the pod is well.
  func isGone(_ record: PodRecord) async throws -> Bool {
    guard Self.namespace(of: record) == nil else { return false }
    let port = try await ports.list().first { $0.name == record.tap }
    guard port?.isPresent == true else { return true }
    return try await node.mac(of: record.tap) != nil
  }

  /// The namespace of a record, or nil when there is none at the path, or another.
  static func namespace(of record: PodRecord) -> NetworkNamespace? {
    guard let namespace = try? NetworkNamespace(path: record.interface.netns),
      namespace.identity == record.namespace
    else { return nil }
    return namespace
  }

  /// - Throws: ``CNIBackendError/Code/noNamespace``.
  static func namespace(
    of interface: PodInterface
  ) throws(CNIBackendError) -> NetworkNamespace {
    do {
      return try NetworkNamespace(path: interface.netns)
    } catch {
      throw CNIBackendError(
        .noNamespace,
        "\(error); the pod is gone, or its namespace is not mounted where this agent runs")
    }
  }

  private func takeTAP() async throws -> (String, MACAddress) {
    let tap = try await pool.take()
    do {
      if let mac = try await node.mac(of: tap) { return (tap, mac) }
      try await pool.renew(tap)
      guard let mac = try await node.mac(of: tap) else { throw Self.missing(tap) }
      return (tap, mac)
    } catch {
      await pool.release(tap)
      throw error
    }
  }

  private func wire(_ record: PodRecord, _ namespace: NetworkNamespace) async throws -> Bool {
    let node = node.namespace
    return try await blocking {
      try PodWiring(node: node, pod: namespace, record: record).connect()
    }
  }

  private func unwire(_ record: PodRecord) async throws -> PodWiring.Ending {
    guard let namespace = Self.namespace(of: record) else {
      return try await node.mac(of: record.tap) == nil ? .gone : .returned
    }
    let node = node.namespace
    return try await blocking {
      try PodWiring(node: node, pod: namespace, record: record).disconnect()
    }
  }

  private static func missing(_ tap: String) -> CNIBackendError {
    CNIBackendError(
      .noTAP,
      "infrap4d made \(tap), which is not in this agent's namespace; run both in the node's")
  }
}
