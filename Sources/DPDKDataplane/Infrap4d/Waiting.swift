import Dispatch
import Synchronization

/// Runs an asynchronous call and waits for it.
///
/// Must not be called on Swift's concurrency pool, whose thread it would hold.
public func waiting<Result: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () async throws(Failure) -> Result
) throws(Failure) -> Result {
  let outcome = Outcome<Result, Failure>()
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    do throws(Failure) {
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
private final class Outcome<Value: Sendable, Failure: Error>: Sendable {
  let result = Mutex<Swift.Result<Value, Failure>?>(nil)
}
