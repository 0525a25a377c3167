import Netlink

/// What goes on beside the requests.
extension CNIBackend {
  /// The longest pause between attempts.
  private static let longestPause = Duration.seconds(30)

  /// Repeats every Add that a record tells of, so that a pod that lost its TAP, or that the
  /// manager forgot, is connected again; takes away the pods that are gone.
  func recover() async {
    var records = await records.all
    var pause = Duration.milliseconds(500)
    while !records.isEmpty, !Task.isCancelled {
      records = await recover(records)
      guard !records.isEmpty else { return }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, Self.longestPause)
    }
  }

  /// - Returns: the records to come back to.
  private func recover(_ records: [PodRecord]) async -> [PodRecord] {
    do {
      try await learn()
    } catch {
      logger.warning("pods are not looked after yet", metadata: ["reason": "\(error)"])
      return records
    }
    var rest: [PodRecord] = []
    for record in records {
      do {
        try await recover(record)
      } catch {
        logger.warning(
          "a pod is not looked after yet",
          metadata: ["pod": "\(record.interface)", "reason": "\(error)"])
        rest.append(record)
      }
    }
    return rest
  }

  private func recover(_ record: PodRecord) async throws {
    guard let namespace = Self.namespace(of: record) else {
      if try await isGone(record) { try await disconnectIfThere(record) }
      return
    }
    try await locks.withLock(record.interface) {
      guard let now = await self.records[record.interface], now.namespace == namespace.identity
      else { return }
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
