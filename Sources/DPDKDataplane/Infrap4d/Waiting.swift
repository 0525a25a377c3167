import Core
import Dispatch
import Synchronization

/// Runs an asynchronous call and waits for it.
///
/// Must not be called on Swift's concurrency pool, whose thread it would hold.
public func waiting<Result: Sendable>(
  _ body: @escaping @Sendable () async throws(DataplaneError) -> Result
) throws(DataplaneError) -> Result {
  let outcome = Outcome<Result>()
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    do throws(DataplaneError) {
      let value = try await body()
      outcome.result.withLock { $0 = .success(value) }
    } catch {
      outcome.result.withLock { $0 = .failure(error) }
    }
    done.signal()
  }
  done.wait()
  guard let result = outcome.result.withLock({ $0 }) else {
    preconditionFailure("signalled without a result")
  }
  return try result.get()
}

/// A mutex cannot be captured by itself.
private final class Outcome<Value: Sendable>: Sendable {
  let result = Mutex<Swift.Result<Value, DataplaneError>?>(nil)
}
