/// Lets one task through at a time, in the order of arrival.
actor Turnstile {
  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// Runs `body` with nobody else inside.
  ///
  /// A caller that is cancelled while it waits never enters. One that is inside runs to
  /// its end, cancelled or not: half of a change is worse than all of it.
  ///
  /// - Throws: `CancellationError`, or what `body` throws.
  nonisolated func pass<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    await enter()
    guard !Task.isCancelled else {
      await leave()
      throw CancellationError()
    }
    let result = await Task { try await body() }.result
    await leave()
    return try result.get()
  }

  private func enter() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func leave() {
    if waiting.isEmpty {
      isTaken = false
    } else {
      waiting.removeFirst().resume()
    }
  }
}
