import Dispatch

/// Runs what waits for the kernel on a thread that may wait: the concurrency pool has as
/// few threads as there are processors.
func blocking<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}
