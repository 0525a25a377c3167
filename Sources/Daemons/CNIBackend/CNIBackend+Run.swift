import Netlink

/// What goes on beside the requests.
extension CNIBackend {
  /// The first and the longest pause between attempts.
  private static let pauses = Duration.milliseconds(500)...Duration.seconds(30)
  /// How often infrap4d's ports are compared with the records.
  private static let period = Duration.seconds(5)

  /// Connects all pods of the records, now and whenever they lose their TAPs, and forgets
  /// those that are gone, until it is cancelled.
  public func run() async {
    await recoverAll()
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.period)
      await mend()
    }
  }

  /// As ``recover()``, again and again until it is done for all, or the task is cancelled.
  public func recoverAll() async {
    var pause = Self.pauses.lowerBound
    while !Task.isCancelled, await !recover() {
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, Self.pauses.upperBound)
    }
  }

  /// Repeats every Add that a record tells of, so that a pod that lost its TAP, or that the
  /// manager forgot, is connected again; takes away the pods that are gone.
  ///
  /// - Returns: false when it is not done for all.
  @discardableResult
  public func recover() async -> Bool {
    await recover { _, _ in true }
  }

  /// As ``recover()``, for those whose TAP is no port of infrap4d any more.
  private func mend() async { await recover { _, isPort in !isPort } }

  @discardableResult
  private func recover(_ isAffected: (PodRecord, Bool) -> Bool) async -> Bool {
    let present: [String: TAPPort]
    do {
      try await learn()
      present = try await portsByName()
    } catch {
      logger.warning("pods are not looked after yet", metadata: ["reason": "\(error)"])
      return false
    }
    var isWhole = true
    for record in await records.all {
      guard !Task.isCancelled else { return false }
      let isPort = present[record.tap]?.belongs(to: record) ?? false
      guard isAffected(record, isPort) else { continue }
      do {
        try await recover(record, isPort: isPort)
      } catch {
        logger.warning(
          "a pod is not looked after yet",
          metadata: ["pod": "\(record.interface)", "reason": "\(error)"])
        isWhole = false
      }
    }
    return isWhole
  }

  private func recover(_ record: PodRecord, isPort: Bool) async throws {
    guard let namespace = Self.namespace(of: record) else {
      if try await isGone(record) { try await disconnectIfThere(record) }
      return
    }
    try await locks.withLock(record.interface) {
      guard var now = await self.records[record.interface], now.namespace == namespace.identity,
        now.tap == record.tap
      else { return }
      if !isPort { now = try await self.following(now, in: namespace) }
      // An Add may have made it while this waited.
      if !isPort, try await self.portsByName()[now.tap]?.belongs(to: now) != true {
        try await self.makeTAP(now, in: namespace)
      }
      _ = try await self.connect(now, in: namespace)
    }
  }

  private func portsByName() async throws -> [String: TAPPort] {
    Dictionary(try await ports.list().map { ($0.name, $0) }) { first, _ in first }
  }
}

extension TAPPort {
  /// Whether it is the pod's. One with another address infrap4d has made again, elsewhere.
  fileprivate func belongs(to record: PodRecord) -> Bool {
    isPresent && (mac == nil || mac == record.mac)
  }
}
