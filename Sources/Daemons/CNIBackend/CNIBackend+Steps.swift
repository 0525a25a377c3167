import Core
import InfraProtos
import Netlink

/// What Add, Del and recovery are made of.
extension CNIBackend {
  /// Connects a pod of which there is no record, wholly or not at all.
  func connectFirst(
    _ request: PodRequest, in namespace: NetworkNamespace
  ) async throws -> Connection {
    let record = PodRecord(
      request: request, namespace: namespace.identity, tap: await names.take(), mac: .random())
    do {
      try await records.keep(record)
    } catch {
      await names.release(record.tap)
      throw error
    }
    do {
      try await makeTAP(record, in: namespace)
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
  ///
  /// - Parameter before: what the pod was connected by, when that is another request.
  func connect(
    _ record: PodRecord, in namespace: NetworkNamespace, before: PodRequest? = nil
  ) async throws -> Connection {
    if try await !wire(record, namespace, before: before) {
      logger.warning("the TAP is gone and is made anew", metadata: ["tap": "\(record.tap)"])
      try await makeTAP(record, in: namespace)
      guard try await wire(record, namespace) else {
        throw CNIBackendError(
          .misplacedTAP,
          "infrap4d made \(record.tap), which is not in this agent's namespace; run both in the "
            + "node's")
      }
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
    // The kernel takes its time for this, and infrap4d does one thing after the other.
    if let namespace = Self.namespace(of: record) {
      let node = node.namespace
      try await blocking {
        try PodWiring(node: node, pod: namespace, record: record).removeInterface()
      }
    }
    try await ports.delete(record.tap)
    try await records.remove(record.interface)
    await names.release(record.tap)
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

  /// Whether a pod's namespace went away. A path alone does not tell: it may be missing here
  /// while the pod is well.
  func isGone(_ record: PodRecord) async throws -> Bool {
    guard Self.namespace(of: record) == nil else { return false }
    let port = try await ports.list().first { $0.name == record.tap }
    guard port?.isPresent == true else { return true }
    if try await node.mac(of: record.tap) != nil { return true }
    // A TAP that was made in the pod keeps the namespace, when all else is gone.
    let namespace = record.namespace
    return try await blocking { !namespace.isInUse }
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

  /// Makes a pod's TAP, in the pod if infrap4d reaches it, and wherever one was before.
  func makeTAP(_ record: PodRecord, in namespace: NetworkNamespace) async throws {
    let node = node.namespace
    try await blocking {
      let wiring = try PodWiring(node: node, pod: namespace, record: record)
      // What infrap4d has left and forgotten.
      try wiring.removeInterface()
      try wiring.refuseOthers()
    }
    let isInPlace = try await ports.create(
      record.tap, mtu: mtu, in: TAPPlace(record.interface, mac: record.mac))
    guard !isInPlace else { return }
    try await blocking { try PodWiring(node: node, pod: namespace, record: record).adopt() }
  }

  private func wire(
    _ record: PodRecord, _ namespace: NetworkNamespace, before: PodRequest? = nil
  ) async throws -> Bool {
    let node = node.namespace
    let mtu = mtu
    return try await blocking {
      try PodWiring(node: node, pod: namespace, record: record)
        .connect(before: before.map { ($0, tapMTU: mtu) })
    }
  }

  /// The record with the Ethernet address that the pod's interface has now: another plugin of
  /// the chain, such as `tuning`, may have given it one. That it is the same interface tells
  /// infrap4d, which has the TAP open.
  func following(
    _ record: PodRecord, in namespace: NetworkNamespace
  ) async throws -> PodRecord {
    let port = try await ports.list().first { $0.name == record.tap }
    guard let port, port.isPresent, let mac = port.mac, mac != record.mac else { return record }
    var moved = record
    moved.mac = mac
    let (node, now) = (node.namespace, moved)
    let isThere = try await blocking {
      try PodWiring(node: node, pod: namespace, record: now).isConnected()
    }
    guard isThere else { return record }
    logger.notice(
      "a pod has another Ethernet address",
      metadata: ["pod": "\(record.interface)", "mac": "\(mac)", "was": "\(record.mac)"])
    do {
      try await networks.create(now.request.message, tap: now.tap, mac: mac)
    } catch {
      // Upstream's manager takes no other address for a pod that it knows.
      try await networks.delete(
        .with {
          $0.netns = record.interface.netns
          $0.interfaceName = record.interface.name
        }, tap: record.tap, mac: record.mac, address: record.request.address)
      try await networks.create(now.request.message, tap: now.tap, mac: mac)
    }
    try await records.keep(now)
    return now
  }
}

extension MACAddress {
  /// An address that nobody has bought: locally administered, of one interface (IEEE 802).
  fileprivate static func random() -> MACAddress {
    MACAddress(UInt64.random(in: 0...UInt64.max) & 0xFEFF_FFFF_FFFF | 0x0200_0000_0000)
  }
}
