import Dispatch

/// Runs what blocks on a thread of its own: the concurrency pool has as few threads as
/// there are processors, and other tests need them.
public func blocking<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async {
      continuation.resume(with: Swift.Result { try body() })
    }
  }
}
