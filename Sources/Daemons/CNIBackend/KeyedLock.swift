/// Work on one key is done one after the other, in the order of the calls; work on
/// different keys in parallel.
actor KeyedLock<Key: Hashable & Sendable> {
  /// Who waits for a key that is held.
  private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

  nonisolated func withLock<Value: Sendable>(
    _ key: Key, _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    await acquire(key)
    let outcome: Result<Value, any Error>
    do {
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    await release(key)
    return try outcome.get()
  }

  private func acquire(_ key: Key) async {
    guard waiting[key] != nil else {
      waiting[key] = []
      return
    }
    await withCheckedContinuation { waiting[key]?.append($0) }
  }

  private func release(_ key: Key) {
    guard let next = waiting[key]?.first else {
      waiting[key] = nil
      return
    }
    waiting[key]?.removeFirst()
    next.resume()
  }
}
