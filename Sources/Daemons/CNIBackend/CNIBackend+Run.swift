import Netlink

/// What goes on beside the requests.
extension CNIBackend {
  /// The first and the longest pause between attempts.
  private static let pauses = Duration.milliseconds(500)...Duration.seconds(30)
  /// How often infrap4d's ports are compared with the records.
  private static let period = Duration.seconds(5)

  func lookAfterPods() async {
    var pause = Self.pauses.lowerBound
    while !Task.isCancelled, await !recover() {
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, Self.pauses.upperBound)
    }
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.period)
      await mend()
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
  private func mend() async {
    await recover { record, ports in !ports.contains(record.tap) }
  }

  @discardableResult
  private func recover(_ isAffected: (PodRecord, Set<String>) -> Bool) async -> Bool {
    let present: Set<String>
    do {
      try await learn()
      present = Set(try await ports.list().filter(\.isPresent).map(\.name))
    } catch {
      logger.warning("pods are not looked after yet", metadata: ["reason": "\(error)"])
      return false
    }
    var isWhole = true
    for record in await records.all where isAffected(record, present) {
      do {
        try await recover(record, isPort: present.contains(record.tap))
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
      guard let now = await self.records[record.interface], now.namespace == namespace.identity,
        now.tap == record.tap
      else { return }
      // An interface in the pod may be what infrap4d has left and forgotten.
      if !isPort { try await self.pool.renew(now.tap) }
      _ = try await self.connect(now, in: namespace)
    }
  }

  /// Keeps a few TAPs ready.
  func keepSpares() async {
    for await _ in pool.needs {
      while !Task.isCancelled {
        do {
          try await learn()
          try await pool.fill()
          break
        } catch {
          logger.warning("no spare TAPs for now", metadata: ["reason": "\(error)"])
          try? await Task.sleep(for: .seconds(1))
        }
      }
    }
  }
}
